import { ApplicationFailure } from '@temporalio/common';
import type { BackupVerification } from '../../src/contracts/backup.ts';
import type { AcquireReply, AcquireRequest } from '../../src/contracts/change-control.ts';
import type { DatabaseSlice } from '../../src/contracts/catalog.ts';
import { planRestore, type LiveDependant, type RestorePlan } from '../../src/domain/backup/restore-plan.ts';
import { scopesOf } from '../../src/domain/lease/state.ts';
import { sliceOf } from './database.ts';

/** Databases in memory, and what procedures did to them, in order. */
export interface DatabaseWorld {
  slice: DatabaseSlice;
  log: string[];
  notices: string[];
  /** What `checkRestored` finds. */
  faults: string[];
  dependants: LiveDependant[];
  /** Server that answers; another one than the backup's is refused by the plan. */
  server: string;
  digest: string;
  backupAt: number;
  verifications: BackupVerification[];
  /** What the next calls of an activity throw, by its name; used up from the front. */
  failures: Record<string, Error[]>;
  /** Called before an activity ends. */
  during?: (name: string) => Promise<void>;
}

export const fails = (type: string): Error =>
  ApplicationFailure.create({ type, message: `${type} for the test`, nonRetryable: true });

export function databaseWorld(over: Partial<DatabaseWorld> = {}): DatabaseWorld {
  const nowhere = { host: '127.0.0.1', port: 5432, user: 'u', database: 'd', passwordFile: '' };
  const s3 = { endpoint: 'http://127.0.0.1:1', region: 'r', bucket: 'backups', accessKeyId: 'a', secretKeyFile: '' };
  const slice = sliceOf('shop', { postgres: nowhere, s3 });
  const notify = ['ops'];
  slice.policies = { backUpDatabase: { gates: [], notify }, restoreDatabase: { gates: [], notify } };
  return {
    slice,
    log: [],
    notices: [],
    faults: [],
    dependants: [{ kind: 'Deployment', name: 'web', service: 'web', replicas: 3 }],
    server: 'server-1',
    digest: 'sha256:one',
    backupAt: Date.now() - 3_600_000,
    verifications: [],
    failures: {},
    ...over,
  };
}

/** Activities on databases in memory; what the real ones do is asserted on a real server, in test/activities. */
export function databaseActivities(world: DatabaseWorld): Record<string, (argument: never) => Promise<unknown>> {
  let token = 0;
  const backup = () => ({
    id: '20261125T020000Z-1f3870be',
    snapshotAt: new Date(world.backupAt).toISOString(),
    keyId: 'key-1',
    source: { name: 'shop', systemIdentifier: 'server-1', serverVersion: '15.1', bytes: 1_000 },
    object: { key: 'k', bytes: 100, sha256: 's' },
    phases: { streamMs: 1_000, digestMs: 10 },
    tables: 2,
    rows: 10,
  });
  const activities: Record<string, (argument: never) => unknown> = {
    loadDatabase: () => world.slice,
    describeDatabase: () => ({ systemIdentifier: world.server, bytes: 1_000 }),
    acquireLease: ({ request }: { request: AcquireRequest }): AcquireReply => {
      const { mode } = request;
      world.log.push(...scopesOf(request).map((scope) => `${mode} ${scope}`));
      return mode === 'reserve'
        ? { status: 'reserved', sequence: 1 }
        : { status: 'granted', token: ++token, sequence: 2 };
    },
    dumpDatabase: ({ id }: { id: string }) => {
      world.log.push('dump');
      return { ...backup(), id };
    },
    expireBackups: () => {
      world.log.push('expire');
      return { expired: ['20200101T000000Z-00000000'] };
    },
    findBackup: backup,
    restoreBeside: ({ database }: { database: string }) => {
      world.log.push(`restore ${kind(database)}`);
      return { restoreMs: 5_000 };
    },
    checkRestored: () => {
      world.log.push('check');
      return { faults: world.faults, amcheckMs: 1, compareMs: 1 };
    },
    dropBeside: ({ database }: { database: string }) => void world.log.push(`drop ${kind(database)}`),
    recordVerification: ({ verification }: { verification: BackupVerification }) =>
      void world.verifications.push(verification),
    describeDependants: () => world.dependants,
    draftRestore: ({
      slice,
      dependants,
      requestedBy,
    }: {
      slice: DatabaseSlice;
      dependants: LiveDependant[];
      requestedBy: string;
    }): RestorePlan => ({
      ...planRestore({
        ...{ slice, dependants, requestedBy, backup: backup(), keyId: 'key-1', at: Date.now() },
        server: { systemIdentifier: world.server, serverVersion: '15.1' },
        live: { bytes: 1_000, sessions: 2, changes: [] },
      }),
      digest: world.digest,
    }),
    claimDatabase: () => void world.log.push('claim'),
    claimDependants: () => undefined,
    stopDependants: () => void world.log.push('stop'),
    startDependants: () => void world.log.push('start'),
    awaitDependants: ({ ready }: { ready: boolean }) => void world.log.push(ready ? 'ready' : 'gone'),
    closeDatabase: () => {
      world.log.push('close');
      return { closedAt: new Date(world.backupAt + 600_000).toISOString() };
    },
    openDatabase: () => void world.log.push('open'),
    swapDatabases: ({ restored, damaged }: { restored: string; damaged: string }) => {
      world.log.push(`swap ${kind(restored)} ${kind(damaged)}`);
      return { swapped: true };
    },
    notify: ({ text }: { text: string }) => {
      world.notices.push(text);
      return { delivered: [], failed: [] };
    },
  };
  return Object.fromEntries(
    Object.entries(activities).map(([name, run]) => [
      name,
      async (argument: never): Promise<unknown> => {
        const failure = world.failures[name]?.shift();
        if (failure) throw failure;
        const answer = await run(argument);
        await world.during?.(name);
        return answer;
      },
    ]),
  );
}

/** `shop_restore_1f3870be` → `restore`: the rest of the name is the run's. */
const kind = (database: string): string => database.replace(/^shop_([a-z]+)_[0-9a-f]{8}$/, '$1');
