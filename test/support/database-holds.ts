import { waitFor } from '../../scripts/sandbox/wait.ts';
import type { DatabaseBench } from './database.ts';

/** Something that keeps a procedure waiting at one place of the database server. It ends with the server too. */
export interface Hold {
  /** Returns when a procedure has come there. */
  reached(): Promise<void>;
  release(): Promise<void>;
}

const HOLDER = 'hold of a test';

/**
 * Adds what lets a restore be held: an index on an expression, which is computed only when a session of ours is not there.
 * The statistics of sessions are of the whole server, so the index of a restored database waits too.
 */
export async function makeHoldable(bench: DatabaseBench): Promise<void> {
  await bench.sql(`
    CREATE FUNCTION unless_held(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN
      WHILE EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE application_name = '${HOLDER}') LOOP
        PERFORM pg_catalog.pg_stat_clear_snapshot(), pg_catalog.pg_sleep(0.05);
      END LOOP;
      RETURN $1;
    END $$`);
  await bench.sql('CREATE TABLE holdable AS SELECT 1 AS id');
  await bench.sql('CREATE INDEX ON holdable (unless_held(id))');
}

/** A restore that has copied the data and builds its indexes. Needs `makeHoldable`. */
export const holdRestore = (bench: DatabaseBench): Promise<Hold> =>
  holdBy(bench, `SET application_name = '${HOLDER}'`, {
    database: bench.name,
    waiting: `datname LIKE '${bench.name}_restore_%' AND query LIKE 'CREATE INDEX %unless_held%'`,
  });

/** A dump that has begun and wants to read a table. */
export const holdDump = (bench: DatabaseBench, table: string): Promise<Hold> =>
  holdBy(bench, `BEGIN; LOCK TABLE ${table}`, {
    database: bench.name,
    waiting: `wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE %${table}%'`,
  });

/** Whoever makes, renames, closes or drops a database. */
export const holdDatabases = (bench: DatabaseBench): Promise<Hold> =>
  holdBy(bench, 'BEGIN; LOCK TABLE pg_catalog.pg_database IN SHARE MODE', {
    database: 'postgres',
    waiting: `wait_event_type = 'Lock' AND query LIKE 'ALTER DATABASE %'`,
  });

async function holdBy(bench: DatabaseBench, by: string, at: { database: string; waiting: string }): Promise<Hold> {
  const session = await bench.connect(at.database);
  await session.query(by);
  const look = `SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state <> 'idle' AND ${at.waiting}`;
  return {
    async reached() {
      const there = async (): Promise<boolean> => (await bench.sql(look, 'postgres')).length > 0;
      await waitFor(`a session with ${at.waiting}`, there, { timeoutSeconds: 60 });
    },
    release: () => session.end(),
  };
}
