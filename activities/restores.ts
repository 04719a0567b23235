import { cancellationSignal, sleep } from '@temporalio/activity';
import { digestTables } from '../src/adapters/backup/digests.ts';
import {
  changeFenced,
  createAnew,
  dropDatabase,
  endSessions,
  raiseFence,
  readFacts,
  readState,
  writeFence,
} from '../src/adapters/backup/server.ts';
import { objectKey, readManifest, writeVerification } from '../src/adapters/backup/shelf.ts';
import { streamRestore } from '../src/adapters/backup/streams.ts';
import { startTool, type PostgresTarget } from '../src/adapters/backup/tools.ts';
import { failure, isFailure } from '../src/adapters/failure.ts';
import type { Query } from '../src/adapters/postgres.ts';
import { quoted } from '../src/domain/sql/statement.ts';
import type { BackupManifest, BackupVerification } from '../src/contracts/backup.ts';
import type { DatabaseSlice } from '../src/contracts/catalog.ts';
import { differences } from '../src/domain/backup/compare.ts';
import { whileAlive, type Progress } from './alive.ts';
import { encryptionKeyOf, onServer, targetOn, withPostgres, withStore } from './database-connection.ts';
import type { Dependencies } from './dependencies.ts';

/** Which server, and by which lease. */
export interface FencedDatabase {
  slice: DatabaseSlice;
  /** System identifier that the plan was made for. */
  identity: string;
  token: number;
}

export interface Beside {
  slice: DatabaseSlice;
  identity: string;
  id: string;
  /** A name that the run made (src/domain/backup/names.ts). */
  database: string;
}

export interface CheckResult {
  faults: string[];
  amcheckMs: number;
  compareMs: number;
}

const SESSIONS_END_WITHIN_MS = 20_000;

export function createRestoreActivities(deps: Pick<Dependencies, 'secrets'>) {
  return {
    /**
     * Restores a backup into a database of its own, beside all others. Look-before-repeat: its name belongs to the run; an
     * attempt that died left a database that is not whole, which the next one drops and makes anew.
     * @throws BackupCorrupt, WrongKey, WrongCluster, DiskFull, DatabaseFailed, BackupMissing
     */
    async restoreBeside({ slice, identity, id, database }: Beside): Promise<{ restoreMs: number }> {
      const encryptionKey = await encryptionKeyOf(deps, slice);
      const started = Date.now();
      const restore = (progress: Progress) =>
        withStore(deps, slice, async (store, prefix) => {
          const manifest = await existing(readManifest(store, prefix, id), id);
          await onServer(deps, slice, (query) => createAnew(query, database, manifest.source), identity);
          const target = await targetOn(deps, slice, database);
          const options = {
            target,
            store,
            objectKey: objectKey(prefix, id),
            encryptionKey,
            signal: cancellationSignal(),
          };
          await streamRestore({ ...options, onProgress: progress }, manifest);
        });
      await whileAlive(restore);
      return { restoreMs: Date.now() - started };
    },

    /**
     * Checks a restored database: every index and heap page (pg_amcheck), rows and content of every table against the
     * manifest. What is wrong is in the result. The extension that pg_amcheck needs is added and dropped again; an attempt
     * that dies in between leaves it there, which does no harm.
     */
    async checkRestored({ slice, identity, id, database }: Beside): Promise<CheckResult> {
      const manifest = await withStore(deps, slice, (store, prefix) => existing(readManifest(store, prefix, id), id));
      await onServer(deps, slice, async () => undefined, identity);
      const target = await targetOn(deps, slice, database);
      const begun = Date.now();
      const broken = await whileAlive(() => withAmcheck(target, () => amcheck(target)));
      const checked = Date.now();
      const read = async (query: Query) => ({ facts: await readFacts(query), tables: await digestTables(query) });
      const found = await whileAlive(() =>
        withPostgres(target, async ({ limit, readOnly }) => {
          await limit(0);
          return readOnly(read);
        }),
      );
      const comparable = major(found.facts.serverVersion) === major(manifest.source.serverVersion);
      const expected = comparable ? manifest.tables : manifest.tables.map((each) => ({ ...each, digest: '' }));
      const tables = comparable ? found.tables : found.tables.map((each) => ({ ...each, digest: '' }));
      const faults = [...broken, ...differences(expected, tables).slice(0, 50)];
      return { faults, amcheckMs: checked - begun, compareMs: Date.now() - checked };
    },

    /** Drops a database that the run made. Convergent: what is gone stays gone. */
    async dropBeside({ slice, identity, database }: Omit<Beside, 'id'>): Promise<void> {
      await onServer(deps, slice, (query) => dropDatabase(query, database), identity);
    },

    /** Stores the outcome of a test restore beside the backup. Keyed: the last one counts. */
    async recordVerification({ slice, verification }: { slice: DatabaseSlice; verification: BackupVerification }) {
      await withStore(deps, slice, (store, prefix) => writeVerification(store, prefix, verification));
    },

    /** From now on nothing of an older lease changes the database. Convergent. @throws Fenced, NotFound */
    async claimDatabase({ slice, identity, token }: FencedDatabase): Promise<void> {
      const { name } = slice.spec;
      await onServer(
        deps,
        slice,
        async (query) => {
          if ((await readState(query, name)).exists) await raiseFence(query, { database: name, token });
        },
        identity,
      );
    },

    /**
     * Lets nobody in any more and ends who is in. Convergent: each attempt begins with what is so now.
     * @returns when the last session had ended (ISO 8601): what was committed until then and is not in the backup is lost
     * @throws Fenced, Interfered; Unavailable while sessions stay
     */
    async closeDatabase({ slice, identity, token }: FencedDatabase): Promise<{ closedAt: string }> {
      const { name } = slice.spec;
      return onServer(
        deps,
        slice,
        async (query) => {
          if (!(await readState(query, name)).exists) return { closedAt: new Date().toISOString() };
          await allowConnections(query, { database: name, token }, false);
          const deadline = Date.now() + SESSIONS_END_WITHIN_MS;
          while ((await endSessions(query, name)) > 0) {
            if (Date.now() > deadline) throw failure('Unavailable', `sessions in ${name} do not end`);
            await sleep(100);
          }
          return { closedAt: new Date().toISOString() };
        },
        identity,
      );
    },

    /** Lets people in again, for when the swap did not take place. Convergent. @throws Fenced, Interfered */
    async openDatabase({ slice, identity, token }: FencedDatabase): Promise<void> {
      const { name } = slice.spec;
      await onServer(
        deps,
        slice,
        async (query) => {
          if (!(await readState(query, name)).exists) return;
          await allowConnections(query, { database: name, token }, true);
        },
        identity,
      );
    },

    /**
     * Gives the restored database the name of the damaged one, which keeps its data under another. Both renames are one
     * transaction: a process that dies leaves both or none. An attempt that finds the restored one gone and the name taken
     * has been done; one that finds the damaged one renamed by hand does the second half only.
     * @throws Fenced, Interfered; Unavailable while somebody is in one of them
     */
    async swapDatabases(
      request: FencedDatabase & { restored: string; damaged: string },
    ): Promise<{ swapped: boolean }> {
      const { slice, identity, token, restored, damaged } = request;
      const { name } = slice.spec;
      return onServer(
        deps,
        slice,
        async (query) => {
          const [target, beside, aside] = [
            await readState(query, name),
            await readState(query, restored),
            await readState(query, damaged),
          ];
          if (!beside.exists) {
            if (target.exists && target.fence === token) return { swapped: false };
            throw failure(
              'Interfered',
              `${restored} is gone, and ${name} is not what was restored: somebody changed them`,
            );
          }
          if (target.exists && aside.exists)
            throw failure('Interfered', `${damaged} exists already: rename it, the damaged database needs that name`);
          await endSessions(query, restored);
          const rename = (from: string, to: string) => query(`ALTER DATABASE ${quoted(from)} RENAME TO ${quoted(to)}`);
          const swap = async (): Promise<void> => {
            if (target.exists) await rename(name, damaged);
            await rename(restored, name);
            await writeFence(query, { database: name, token });
          };
          const fenced = target.exists ? name : aside.exists ? damaged : undefined;
          if (fenced) await changeFenced(query, { database: fenced, token }, swap);
          else await swap();
          return { swapped: true };
        },
        identity,
      );
    },
  };

  async function amcheck(target: PostgresTarget): Promise<string[]> {
    const tool = startTool('pg_amcheck', target, {
      args: ['--install-missing', '--heapallindexed'],
      signal: cancellationSignal(),
    });
    tool.stdin.end();
    let report = '';
    tool.stdout.setEncoding('utf8').on('data', (text: string) => (report = (report + text).slice(-4_000)));
    try {
      await tool.ended;
      return [];
    } catch (error) {
      // Damage is what it exits with 2 for, and what it says then goes to standard output.
      if (isFailure(error, 'DatabaseFailed') && report.trim()) return [`pg_amcheck: ${report.trim().slice(0, 1_000)}`];
      throw error;
    }
  }
}

export type RestoreActivities = ReturnType<typeof createRestoreActivities>;

/** Nothing is changed when it is so already: an attempt after one that died finds its effect. */
const allowConnections = (query: Query, fenced: { database: string; token: number }, allowed: boolean): Promise<void> =>
  changeFenced(query, fenced, async () => {
    if ((await readState(query, fenced.database)).takesConnections === allowed) return;
    await query(`ALTER DATABASE ${quoted(fenced.database)} ALLOW_CONNECTIONS ${allowed}`);
  });

async function withAmcheck<T>(target: PostgresTarget, check: () => Promise<T>): Promise<T> {
  const installed = await withPostgres(target, ({ query }) =>
    query("SELECT FROM pg_extension WHERE extname = 'amcheck'"),
  );
  const result = await check();
  if (installed.length === 0) await withPostgres(target, ({ query }) => query('DROP EXTENSION IF EXISTS amcheck'));
  return result;
}

const major = (version: string): string => version.split('.')[0]!;

async function existing(reading: Promise<BackupManifest | undefined>, id: string): Promise<BackupManifest> {
  const manifest = await reading;
  if (manifest) return manifest;
  throw failure('BackupMissing', `backup ${id} is not in the store any more`);
}
