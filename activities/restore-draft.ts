import { createHash } from 'node:crypto';
import { keyIdOf } from '../src/adapters/backup/cipher.ts';
import { digestTables } from '../src/adapters/backup/digests.ts';
import { readFacts, readState } from '../src/adapters/backup/server.ts';
import { listBackups, readManifest } from '../src/adapters/backup/shelf.ts';
import { failure, isFailure } from '../src/adapters/failure.ts';
import type { BackupManifest } from '../src/contracts/backup.ts';
import type { DatabaseSlice } from '../src/contracts/catalog.ts';
import { changesSince } from '../src/domain/backup/compare.ts';
import {
  planRestore,
  type LiveDatabase,
  type LiveDependant,
  type RestorePlan,
} from '../src/domain/backup/restore-plan.ts';
import { whileAlive } from './alive.ts';
import { encryptionKeyOf, onServer, targetOn, withPostgres, withStore } from './database-connection.ts';
import type { Dependencies } from './dependencies.ts';

export interface RestoreDraftRequest {
  slice: DatabaseSlice;
  /** Default: the newest backup. */
  backup?: string;
  dependants: LiveDependant[];
  requestedBy: string;
}

/** Comparing a large database with its backup reads all of it; a plan waits for that no longer than this. */
const COMPARED_WITHIN_MS = 120_000;

export function createRestoreDraftActivities(deps: Pick<Dependencies, 'secrets'>) {
  return {
    /** What a restore would do and lose. It only looks. @throws BackupMissing, BackupCorrupt, WrongCluster, Forbidden */
    async draftRestore({ slice, backup: id, dependants, requestedBy }: RestoreDraftRequest): Promise<RestorePlan> {
      const encryptionKey = await encryptionKeyOf(deps, slice);
      const { manifest, verified } = await withStore(deps, slice, async (store, prefix) => {
        const listed = await listBackups(store, prefix);
        const found = id ? listed.find((each) => each.id === id) : listed[0];
        const read = found && (await readManifest(store, prefix, found.id));
        if (read) return { manifest: read, verified: found.verified };
        throw failure(
          'BackupMissing',
          `there is no backup ${id ?? ''} of ${slice.database} in ${slice.environment}; the newest: ${
            listed
              .slice(0, 5)
              .map((each) => each.id)
              .join(', ') || 'none'
          }`,
        );
      });
      const { server, state } = await onServer(deps, slice, async (query, facts) => ({
        server: facts,
        state: await readState(query, slice.spec.name),
      }));
      const { tables, ...short } = manifest;
      const rows = tables.reduce((sum, each) => sum + each.rows, 0);
      const plan = planRestore({
        ...{ slice, server, dependants, requestedBy, at: Date.now(), keyId: keyIdOf(encryptionKey) },
        backup: { ...short, tables: tables.length, rows },
        ...(verified ? { verified } : {}),
        ...(state.exists ? { live: { ...(await compare(slice, manifest)), sessions: state.sessions } } : {}),
      });
      return { ...plan, digest: digestOf(slice, plan, manifest) };
    },
  };

  async function compare(slice: DatabaseSlice, manifest: BackupManifest): Promise<Omit<LiveDatabase, 'sessions'>> {
    const target = await targetOn(deps, slice, slice.spec.name);
    let bytes = 0;
    try {
      return await withPostgres(target, async ({ query, limit, readOnly }) => {
        bytes = (await readFacts(query)).bytes;
        await limit(COMPARED_WITHIN_MS);
        const now = await whileAlive(() => readOnly(digestTables));
        return { bytes, changes: changesSince(manifest.tables, now) };
      });
    } catch (error) {
      // It may be damaged, closed, or too large: the plan says so instead of failing.
      if (isFailure(error, 'InvalidInput', 'TimedOut', 'Unavailable', 'Forbidden', 'NotFound'))
        return { bytes, why: error.message };
      throw error;
    }
  }
}

/** Intent and preconditions: what is restored where, and what is stopped for it. What changes by itself is left out. */
function digestOf(
  { digest, system, environment, database }: DatabaseSlice,
  plan: Omit<RestorePlan, 'digest'>,
  { object }: BackupManifest,
) {
  const { backup, systemIdentifier, dependants } = plan;
  const stopped = dependants.map(({ kind, name }) => `${kind}/${name}`);
  const intent = { digest, system, environment, database, backup, sha256: object.sha256, systemIdentifier, stopped };
  return `sha256:${createHash('sha256').update(JSON.stringify(intent)).digest('hex')}`;
}
