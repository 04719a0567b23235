import { WorkflowFailedError, type WorkflowHandleWithStartDetails } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { GateView, DecisionResult } from '../../src/contracts/gates.ts';
import type { ProgressView } from '../../src/contracts/progress.ts';
import type { RestoreDatabaseResult } from '../../src/contracts/restore-database.ts';
import { databaseActivities, databaseWorld, fails, type DatabaseWorld } from '../support/database-world.ts';
import { startTimeSkipping, type TestTemporal } from '../support/temporal.ts';

const OF = { system: 'test', environment: 'local', database: 'shop', requestedBy: 'kim' };
const RESTORE = { ...OF, reason: 'table orders was dropped' };
type Handle = WorkflowHandleWithStartDetails;

let temporal: TestTemporal;
let world: DatabaseWorld;
const serve = async (over: Partial<DatabaseWorld> = {}): Promise<void> => {
  world = databaseWorld(over);
  temporal = await startTimeSkipping({ activities: () => databaseActivities(world) });
};
afterEach(() => temporal.stop());

async function run<Result>(
  type: string,
  input: unknown,
  during: (handle: Handle) => Promise<unknown> = () => Promise.resolve(),
): Promise<Result> {
  const { client, taskQueue } = temporal;
  const handle = await client.workflow.start(type, { taskQueue, workflowId: taskQueue, args: [input] });
  await during(handle);
  while ((await handle.describe()).status.name === 'RUNNING') await temporal.env.sleep(5_000);
  return handle.result() as Promise<Result>;
}

async function failureOf(running: Promise<unknown>): Promise<{ type: string; message: string }> {
  const error = await running.then(
    () => new Error('it did not fail'),
    (raised: unknown) => raised,
  );
  if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error as Error;
  return { type: error.cause.type ?? '', message: error.cause.message };
}

async function openGate(handle: Handle): Promise<GateView> {
  for (;;) {
    const [gate] = (await handle.query<GateView[]>('gates')).filter(({ outcome }) => outcome === 'waiting');
    if (gate) return gate;
    await temporal.env.sleep(10);
  }
}

async function approve(handle: Handle): Promise<void> {
  const { name: gate, code } = await openGate(handle);
  const answer = await handle.executeUpdate<DecisionResult, [unknown]>('decide', {
    args: [{ gate, decision: 'approve', by: 'ana', code }],
  });
  expect(answer.code).toBe('recorded');
}

/**
 * Is it held, and nothing runs? The server that skips time never completes an activity whose cancellation was requested
 * while it ran, so an abort comes between two.
 */
async function heldBetweenActivities(handle: Handle): Promise<boolean> {
  const { held } = await handle.query<ProgressView>('progress');
  const { raw } = await handle.describe();
  return held !== undefined && world.log.includes('gone') && (raw.pendingActivities ?? []).length === 0;
}

const RESTORED = ['reserve database/shop', 'reserve web', 'hold database/shop', 'hold web', 'claim', 'restore restore', 'check']; // prettier-ignore

describe('a backup', () => {
  test('is made under the lease of the database, and old ones go', async () => {
    await serve();
    const result = await run('backUpDatabase', OF);
    expect(result).toMatchObject({
      outcome: 'backed-up',
      backup: { tables: 2, rows: 10 },
      expired: [expect.any(String)],
    });
    expect(world.log).toEqual(['hold database/shop', 'dump', 'expire']);
  });

  test('is planned without touching anything', async () => {
    await serve();
    expect(await run('backUpDatabase', { ...OF, planOnly: true })).toMatchObject({
      outcome: 'planned',
      plan: { refusals: [] },
    });
    expect(world.log).toEqual([]);
  });
});

describe('a verification', () => {
  test('restores into a scratch database, records that it is good, and drops it', async () => {
    await serve();
    expect(await run('verifyBackup', OF)).toMatchObject({ outcome: 'verified', verification: { good: true } });
    expect(world.log).toEqual(['hold database/shop', 'restore verify', 'check', 'drop verify']);
    expect(world.verifications).toEqual([expect.objectContaining({ good: true })]);
  });

  test('of a backup that is not what was stored is recorded as bad and fails', async () => {
    await serve({ failures: { restoreBeside: [fails('BackupCorrupt')] } });
    expect(await failureOf(run('verifyBackup', OF))).toMatchObject({ type: 'ChecksFailed' });
    expect(world.verifications).toEqual([
      expect.objectContaining({ good: false, faults: ['BackupCorrupt for the test'] }),
    ]);
    expect(world.log.at(-1)).toBe('drop verify');
  });

  test('fails when the newest backup is older than the catalog allows, and touches nothing', async () => {
    await serve({ backupAt: Date.now() - 8 * 86_400_000 });
    expect(await failureOf(run('verifyBackup', OF))).toMatchObject({
      type: 'BackupMissing',
      message: expect.stringContaining('must not be older than 7 d'),
    });
    expect(world.log).toEqual([]);
  });
});

describe('a restore', () => {
  test('restores beside, proves it, stops what uses the database, swaps, and starts it again', async () => {
    await serve();
    const result = await run<RestoreDatabaseResult>('restoreDatabase', RESTORE, approve);
    expect(world.log).toEqual([...RESTORED, 'stop', 'gone', 'close', 'swap restore damaged', 'start', 'ready']);
    expect(result).toMatchObject({
      outcome: 'restored',
      rpoMs: 600_000,
      damaged: expect.stringMatching(/^shop_damaged_/),
    });
    expect(world.notices.at(-1)).toContain('DROP DATABASE shop_damaged_');
  });

  test('does nothing but read before it is approved, and names its target in the gate', async () => {
    await serve();
    const failure = await failureOf(
      run('restoreDatabase', RESTORE, async (handle) => {
        const gate = await openGate(handle);
        expect(gate.asks).toContain('database shop at 127.0.0.1:5432 in local');
        await handle.signal('reject', { gate: gate.name, by: 'ana', code: gate.code, reason: 'wrong database' });
      }),
    );
    expect(failure).toMatchObject({ type: 'GateNotApproved', message: expect.stringContaining('wrong database') });
    expect(world.log).toEqual(['reserve database/shop', 'reserve web']);
  });

  test('of a backup of another server is refused by its plan', async () => {
    await serve({ server: 'server-2' });
    expect(await failureOf(run('restoreDatabase', RESTORE))).toMatchObject({
      type: 'Refused',
      message: expect.stringContaining('wrong-server: backup'),
    });
    expect(world.log).toEqual([]);
  });

  test('that is not the backup is dropped, and nothing was stopped', async () => {
    await serve({ faults: ['public.orders has 9 rows, expected 10'] });
    expect(await failureOf(run('restoreDatabase', RESTORE, approve))).toMatchObject({ type: 'ChecksFailed' });
    expect(world.log).toEqual([...RESTORED, 'drop restore']);
  });

  test('that cannot close the database opens it and starts what used it again', async () => {
    await serve({ failures: { closeDatabase: [fails('Forbidden')] } });
    expect(await failureOf(run('restoreDatabase', RESTORE, approve))).toMatchObject({ type: 'Forbidden' });
    expect(world.log).toEqual([...RESTORED, 'stop', 'gone', 'open', 'start', 'ready', 'drop restore']);
  });

  test('is aborted before the swap: the damaged database is back in its place', async () => {
    await serve();
    const failure = await failureOf(
      run('restoreDatabase', RESTORE, async (handle) => {
        world.during = async (name) => {
          if (name === 'stopDependants') await handle.signal('hold', { by: 'ana', reason: 'is it the right backup?' });
        };
        await approve(handle);
        while (!(await heldBetweenActivities(handle))) await temporal.env.sleep(10);
        await handle.signal('abort', { by: 'ana', reason: 'wrong backup' });
      }),
    );
    expect(failure).toMatchObject({ type: 'Aborted', message: expect.stringContaining('wrong backup') });
    expect(world.log).toEqual([...RESTORED, 'stop', 'gone', 'open', 'start', 'ready', 'drop restore']);
  });

  test('asks again when what would be restored changed while people decided', async () => {
    await serve();
    await run('restoreDatabase', RESTORE, async (handle) => {
      const first = await openGate(handle);
      world.digest = 'sha256:two';
      await approve(handle);
      for (;;) {
        const gate = await openGate(handle);
        if (gate.code !== first.code) break;
        await temporal.env.sleep(10);
      }
      expect(world.log).not.toContain('claim');
      await approve(handle);
    });
    expect(world.log.filter((each) => each === 'swap restore damaged')).toHaveLength(1);
  });

  test('waits at a rescue gate when the swap cannot be done, and goes on when it can', async () => {
    await serve({ failures: { swapDatabases: [fails('Interfered')] } });
    expect(await run('restoreDatabase', RESTORE, approve)).toMatchObject({ outcome: 'restored' });
    expect(world.notices.some((text) => text.startsWith('Stuck: Swap shop'))).toBe(true);
    expect(world.log.slice(-3)).toEqual(['swap restore damaged', 'start', 'ready']);
  });
});
