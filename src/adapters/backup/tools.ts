import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { failure } from '../failure.ts';
import { MAKE_ROOM, saysDiskFull, saysNoConnection } from '../postgres-errors.ts';
import { KEEPALIVE_AFTER_MS, type PostgresOptions } from '../postgres.ts';
import { startProgram, type RunningTool } from './process.ts';

export type PostgresTool = 'pg_dump' | 'pg_restore' | 'pg_amcheck';

/** One database of a server, and who connects to it. */
export type PostgresTarget = Pick<PostgresOptions, 'server' | 'database' | 'password'>;

/**
 * As connections of our own have it. Not tcp_user_timeout: it also ends a connection to a server that takes nothing for a
 * while, which a restore into a busy one may see.
 */
const KEEPALIVE = `keepalives_idle=${KEEPALIVE_AFTER_MS / 1000} keepalives_interval=10 keepalives_count=3`;

export interface ToolOptions {
  args: string[];
  signal: AbortSignal;
  /** Reads what the tool writes. */
  into?: RunningTool;
}

/**
 * Starts a tool against a database. The password goes by environment, where only the same user can read it, never by
 * argument. It ends well, or with an ApplicationFailure: Unavailable when it could not connect, NotFound when it is not
 * installed, DiskFull, DatabaseFailed with the end of what it complained about.
 */
export function startTool(name: PostgresTool, target: PostgresTarget, options: ToolOptions): RunningTool {
  const {
    server: { host, port, user, tls },
    database,
    password,
  } = target;
  // Names of databases in the catalog need no quotes.
  const reached = `dbname=${database} ${KEEPALIVE}`;
  // pg_amcheck's option takes a pattern of names.
  const where = name === 'pg_amcheck' ? [reached] : ['--dbname', reached];
  return startProgram(programOf(name), {
    ...options,
    args: [...options.args, '--no-password', ...where],
    env: {
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: user,
      PGPASSWORD: password,
      PGSSLMODE: tls,
      PGCONNECT_TIMEOUT: '5',
      PGAPPNAME: 'windlass',
    },
    secrets: [password],
    failed: (ending, complaints) => failed(name, target, ending, complaints),
  });
}

/** Starts zstd as a process of its own, which may be busy on another processor than this one. */
export function startZstd(options: ToolOptions): RunningTool {
  return startProgram('zstd', {
    ...options,
    failed: (ending, complaints) =>
      ending === 'ENOENT'
        ? failure('NotFound', 'zstd is not installed on the worker: install the package zstd')
        : failure('DatabaseFailed', `zstd ${ending}: ${complaints.trim() || 'it said nothing'}`),
  });
}

function failed(name: PostgresTool, { server, database }: PostgresTarget, ending: string, complaints: string) {
  if (ending === 'ENOENT')
    return failure('NotFound', `${name} is not installed on the worker: install PostgreSQL's client programs`);
  const said = complaints.trim().split('\n').slice(-6).join('; ');
  const where = `${name} on ${database} at ${server.host}:${server.port} ${ending}`;
  if (saysDiskFull(complaints)) return failure('DiskFull', `${where}: ${said}. ${MAKE_ROOM}`);
  return failure(saysNoConnection(said) ? 'Unavailable' : 'DatabaseFailed', `${where}: ${said || 'it said nothing'}`);
}

/** On the PATH, else where Debian keeps the newest version's. */
export function programOf(name: PostgresTool): string {
  const debian = '/usr/lib/postgresql';
  try {
    const [newest] = readdirSync(debian).sort((one, other) => Number(other) - Number(one));
    // Debian's wrapper on the PATH may pick an older version than the server's, and knows no pg_amcheck.
    if (newest) return join(debian, newest, 'bin', name);
  } catch {
    // Not Debian.
  }
  return name;
}
