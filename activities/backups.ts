import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { digestTables } from '../src/adapters/backup/digests.ts';
import { readFacts } from '../src/adapters/backup/server.ts';
import {
  deleteBackup,
  listBackups,
  objectKey,
  orphans,
  readManifest,
  writeManifest,
} from '../src/adapters/backup/shelf.ts';
import { streamDump } from '../src/adapters/backup/streams.ts';
import { keyIdOf } from '../src/adapters/backup/cipher.ts';
import { failure } from '../src/adapters/failure.ts';
import type { BackupManifest, BackupSummary } from '../src/contracts/backup.ts';
import type { DatabaseSlice } from '../src/contracts/catalog.ts';
import { backupIdOf, expiredBackups } from '../src/domain/backup/retention.ts';
import { whileAlive } from './alive.ts';
import { backupPlanOf, encryptionKeyOf, onServer, targetOn, withPostgres, withStore } from './database-connection.ts';
import type { Dependencies } from './dependencies.ts';

/** A dump that is not finished after so long is another one's leftover: no backup takes a day. */
const LONGEST_BACKUP_MS = 86_400_000;
/** More than this in one answer would fill a history. */
const LISTED = 200;

/** What a history keeps of a manifest: all but its tables, which may be thousands. */
export type ShortManifest = Omit<BackupManifest, 'tables'> & { tables: number; rows: number };

const shorten = ({ tables, ...manifest }: BackupManifest): ShortManifest => ({
  ...manifest,
  tables: tables.length,
  rows: tables.reduce((sum, { rows }) => sum + rows, 0),
});

export function createBackupActivities(deps: Pick<Dependencies, 'secrets'>) {
  return {
    /** What and where the database is. It only looks. @throws WrongCluster, Forbidden, NotFound */
    async describeDatabase({ slice }: { slice: DatabaseSlice }) {
      await onServer(deps, slice, async () => undefined);
      return withPostgres(await targetOn(deps, slice, slice.spec.name), ({ query }) => readFacts(query));
    },

    /**
     * Streams a dump into the store. Look-before-repeat, by its id: before its manifest is written the backup does not
     * exist, and an attempt that died before that is begun anew, what it uploaded aborted or overwritten; an attempt that
     * died after it finds the manifest.
     * @throws WrongCluster, Forbidden, DatabaseFailed, SecretMissing, Refused
     */
    async dumpDatabase({ slice, id }: { slice: DatabaseSlice; id: string }): Promise<ShortManifest> {
      const [encryptionKey] = await Promise.all([
        encryptionKeyOf(deps, slice),
        onServer(deps, slice, async () => undefined),
      ]);
      return withStore(deps, slice, (store, prefix) =>
        whileAlive(async (progress) => {
          const there = await readManifest(store, prefix, id);
          if (there) return shorten(there);
          const target = await targetOn(deps, slice, slice.spec.name);
          // As long as the dump takes, its snapshot is held by this transaction.
          const manifest = await withPostgres(target, async ({ query, limit }): Promise<BackupManifest> => {
            await limit(0);
            await query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
            const [snapshot] = await query<{ name: string; at: Date }>(
              'SELECT pg_export_snapshot() AS name, clock_timestamp() AS at',
            );
            const source = await readFacts(query);
            const options = {
              target,
              store,
              objectKey: objectKey(prefix, id),
              encryptionKey,
              signal: cancellationSignal(),
            };
            const begun = Date.now();
            const of = { snapshot: snapshot!.name, databaseBytes: source.bytes };
            const stored = await streamDump({ ...options, onProgress: progress }, of);
            const streamed = Date.now();
            // After it and not beside it: a database that serves people is read by one of the two at a time.
            const tables = await digestTables(query);
            await query('COMMIT');
            const { system, environment, database } = slice;
            return {
              format: 1,
              ...{ id, system, environment, database, engine: 'pg_dump', source },
              snapshotAt: snapshot!.at.toISOString(),
              finishedAt: new Date().toISOString(),
              phases: { streamMs: streamed - begun, digestMs: Date.now() - streamed },
              ...{ tables, ...stored, keyId: keyIdOf(encryptionKey) },
            };
          });
          await writeManifest(store, prefix, manifest);
          return shorten(manifest);
        }),
      );
    },

    /** The backups of a database, newest first. @throws BackupCorrupt, Forbidden, NotFound */
    async listBackups({ slice }: { slice: DatabaseSlice }): Promise<BackupSummary[]> {
      return withStore(deps, slice, async (store, prefix) => (await listBackups(store, prefix)).slice(0, LISTED));
    },

    /**
     * Deletes what retention gives up. Convergent: the decision is made anew by each attempt, and of a backup that is
     * half deleted nothing is listed.
     * @returns ids of the backups that went
     */
    async expireBackups({ slice }: { slice: DatabaseSlice }): Promise<{ expired: string[] }> {
      const plan = backupPlanOf(slice);
      return withStore(deps, slice, async (store, prefix) => {
        const expired = expiredBackups(await listBackups(store, prefix), plan, Date.now());
        for (const id of [
          ...expired,
          ...(await orphans(store, prefix, backupIdOf(Date.now() - LONGEST_BACKUP_MS, ''))),
        ]) {
          heartbeat();
          await deleteBackup(store, prefix, id);
        }
        return { expired };
      });
    },

    /** The manifest of one backup, or of the newest. @throws BackupMissing naming what there is */
    async findBackup({ slice, id }: { slice: DatabaseSlice; id?: string }): Promise<ShortManifest> {
      return withStore(deps, slice, async (store, prefix) => {
        const listed = await listBackups(store, prefix);
        const wanted = id ?? listed[0]?.id;
        const manifest = wanted && (await readManifest(store, prefix, wanted));
        if (manifest) return shorten(manifest);
        const newest = listed.slice(0, 5).map((each) => each.id);
        throw failure(
          'BackupMissing',
          `there is no backup ${id ?? ''} of ${slice.database} in ${slice.environment}; the newest: ${newest.join(', ') || 'none'}`,
        );
      });
    },
  };
}

export type BackupActivities = ReturnType<typeof createBackupActivities>;
