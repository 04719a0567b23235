import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { ActionRequest } from '../../../activities/actions.ts';
import type { Activities } from '../../../activities/index.ts';
import { ACTIONS } from '../../../src/actions/index.ts';

type Result<Name extends keyof Activities> = Awaited<ReturnType<Activities[Name]>>;
type Instead = { [Name in keyof Activities]?: (...args: Parameters<Activities[Name]>) => Result<Name> };

const evidence = (key: string) => ({
  uri: `s3://nowhere/${key}`,
  sha256: '0'.repeat(64),
  bytes: 0,
  contentType: 'text/plain',
});
const nothing = () => undefined;

/**
 * What each activity that changes something answers when it does not: as if it had worked. Observing ones stay as they
 * are, and so do leases, which live in Temporal.
 */
const INSTEAD: Instead = {
  claimTarget: nothing,
  narrowService: nothing,
  restoreSelector: nothing,
  createColor: () => ({ uid: '00000000-0000-4000-8000-000000000000' }),
  pinAutoscaler: nothing,
  unpinAutoscaler: nothing,
  switchTraffic: () => ({ switchedAt: new Date().toISOString() }),
  recordOutcome: nothing,
  removeColor: () => ({ removed: true, message: 'removed' }),
  removePreview: nothing,
  runAction: nothing,
  runJob: () => ({ outcome: 'succeeded', detail: 'completed' }),
  keepEvidence: ({ key }) => evidence(key),
  keepColorEvidence: ({ evidenceKey }) => evidence(evidenceKey),
  dumpDatabase: ({ id }) => ({
    ...{ format: 1, id, system: '', environment: '', database: '', engine: 'pg_dump', keyId: '', tables: 0, rows: 0 },
    ...{ snapshotAt: new Date().toISOString(), finishedAt: new Date().toISOString() },
    source: { name: '', systemIdentifier: '', serverVersion: '', bytes: 0, encoding: '', collate: '', ctype: '' },
    phases: { streamMs: 0, digestMs: 0 },
    object: { key: '', bytes: 0, sha256: '' },
  }),
  expireBackups: () => ({ expired: [] }),
  restoreBeside: () => ({ restoreMs: 0 }),
  checkRestored: () => ({ faults: [], amcheckMs: 0, compareMs: 0 }),
  dropBeside: nothing,
  recordVerification: nothing,
  claimDatabase: nothing,
  closeDatabase: () => ({ closedAt: new Date().toISOString() }),
  openDatabase: nothing,
  swapDatabases: () => ({ swapped: true }),
  claimDependants: nothing,
  stopDependants: nothing,
  startDependants: nothing,
  awaitDependants: nothing,
  recordRun: () => ({ outcome: 'exported', records: 0 }),
  sealSegments: () => ({ sealed: 0 }),
  markReconciled: nothing,
  notify: ({ channels }) => ({ delivered: channels, failed: [] }),
};

/** Activities that this extension turns into no-ops. */
export const EFFECTING_ACTIVITIES = Object.keys(INSTEAD);

/** Steps of runbooks go through one activity, whether they change something or not. */
const onlyLooks = (name: string, request: unknown): boolean =>
  name === 'runAction' && ACTIONS.get((request as ActionRequest).action)?.changes === 'nothing';

/** A worker extension (worker/extensions.ts): with it, a procedure runs through and changes nothing. */
export const activityInterceptors: ActivityInterceptorsFactory[] = [
  (context) => ({
    inbound: {
      async execute(input, next) {
        const name = context.info.activityType;
        if (!Object.hasOwn(INSTEAD, name) || onlyLooks(name, input.args[0])) return next(input);
        const instead = INSTEAD[name as keyof Activities] as (...args: unknown[]) => unknown;
        return instead(...input.args);
      },
    },
  }),
];
