#!/bin/sh
# Starts PostgreSQL on $PGDATA, made first where there is none. Arguments go to the server.
set -eu

if [ ! -d "$PGDATA" ]; then
  # Beside and renamed: a pod that ends during this leaves nothing that looks like data.
  rm -rf "$PGDATA.new"
  initdb -D "$PGDATA.new" --username "$PGUSER" --pwfile "$PASSWORD_FILE" --auth-local trust --auth-host scram-sha-256 \
    --encoding UTF8 --locale C --no-sync
  echo 'host all all all scram-sha-256' >>"$PGDATA.new/pg_hba.conf"
  mv "$PGDATA.new" "$PGDATA"
fi
# As PID 1 of its pod it gets the signals itself.
exec postgres -D "$PGDATA" -c 'listen_addresses=*' "$@"
