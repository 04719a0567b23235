import type { WorkflowHandleWithStartDetails } from '@temporalio/client';
import type { MaintenanceWindowResult } from '../../src/contracts/maintenance-window.ts';
import type { ProgressView } from '../../src/contracts/progress.ts';
import { fails } from '../support/runbook.ts';
import { startTimeSkipping, type TestTemporal } from '../support/temporal.ts';
import { windowActivities, windowWorld, type WindowWorld } from '../support/window-world.ts';
import { failureOf } from '../support/workflow-failure.ts';

const HOUR = 3_600_000;
const INPUT = { system: 'test', environment: 'local', window: 'weekly', requestedBy: 'kim' };
type Handle = WorkflowHandleWithStartDetails;

let temporal: TestTemporal;
let world: WindowWorld;
const serve = async (over: Partial<WindowWorld> = {}): Promise<void> => {
  world = windowWorld(over);
  temporal = await startTimeSkipping({ activities: () => windowActivities(world) });
};
afterEach(() => temporal.stop());

async function run(during: (handle: Handle) => Promise<void> = () => Promise.resolve(), input: object = INPUT) {
  const { client, taskQueue } = temporal;
  const handle = await client.workflow.start('maintenanceWindow', { taskQueue, workflowId: taskQueue, args: [input] });
  await during(handle);
  while ((await handle.describe()).status.name === 'RUNNING') await temporal.env.sleep(HOUR / 12);
  return handle.result() as Promise<MaintenanceWindowResult>;
}

async function until(handle: Handle, holds: (view: ProgressView) => boolean): Promise<void> {
  while (!holds(await handle.query<ProgressView>('progress'))) await temporal.env.sleep(10);
}

/** Without the plans that its runbooks make. */
const done = () => world.log.filter((each) => each !== 'plan');
const OPENED = ['acquire shop', 'claim', 'dump'];

describe('a window', () => {
  test('gives notice, opens in time, backs up, does its tasks in maintenance mode, checks, and reports', async () => {
    await serve();
    const started = Date.now();
    const { report, evidence } = await run();
    expect(done()).toEqual([...OPENED, 'mode on', 'set patch=2', 'set tidy=1', 'mode off', 'report']);
    expect(world.tokens).toEqual([1, 1]);
    expect(report!.tasks.map(({ part, runbook, outcome }) => `${part} ${runbook} ${outcome}`)).toEqual([
      ...['before look done', 'tasks patch done', 'tasks tidy done', 'after look done'],
    ]);
    expect(report).toMatchObject({ backups: [expect.any(String)], overrunMs: 0 });
    expect(evidence!.uri).toContain('report.json');
    expect(Date.parse(report!.opening.opensAt)).toBeGreaterThanOrEqual(started + 2 * HOUR);
    expect(world.notices[0]).toContain(`from ${report!.opening.opensAt} to ${report!.opening.closesAt}`);
    expect(world.notices.at(-1)).toContain('4 of 4 runbooks done');
  });

  test('is planned without touching anything', async () => {
    await serve();
    const { plan } = await run(undefined, { ...INPUT, planOnly: true });
    expect(done()).toEqual([]);
    expect(plan!.changes.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      ...['backup shop', 'runbook look', 'maintenance mode on', 'runbook patch', 'runbook tidy'],
      ...['maintenance mode off', 'runbook look'],
    ]);
  });

  test('whose task fails takes back that task, takes maintenance mode off, and begins nothing more', async () => {
    await serve({ failures: { 'set tidy': [fails('Refused')] } });
    expect(await failureOf(run())).toMatchObject({
      type: 'Refused',
      message: expect.stringContaining('runbook tidy failed') as string,
    });
    expect(done()).toEqual([...OPENED, 'mode on', 'set patch=2', 'mode off', 'report']);
    expect(world.notices.at(-1)).toContain('maintenanceWindow failed');
  });

  test('restores the backup to scratch first where it is told to, and only then lets old ones expire', async () => {
    await serve({ window: { verifies: ['shop'] } });
    const { report } = await run();
    expect(done().slice(2)).toEqual([
      ...['dump', 'restore verify', 'check', 'drop verify', 'expire'],
      ...['mode on', 'set patch=2', 'set tidy=1', 'mode off', 'report'],
    ]);
    expect(report!.verified).toEqual([expect.any(String)]);
  });

  test('whose backup is not good changes nothing, and no older one expires', async () => {
    await serve({ window: { verifies: ['shop'] }, backupFaults: ['table orders has 9 rows, expected 10'] });
    expect(await failureOf(run())).toMatchObject({ type: 'ChecksFailed', message: expect.stringContaining('9 rows') });
    expect(done().slice(2)).toEqual(['dump', 'restore verify', 'check', 'report', 'drop verify']);
  });

  test('whose checklist fails changes nothing', async () => {
    await serve({ failures: { 'look check': [fails('ChecksFailed')] } });
    expect(await failureOf(run())).toMatchObject({ type: 'ChecksFailed' });
    expect(done()).toEqual([...OPENED, 'report']);
  });

  test.each(['abort', 'cancel'])('takes maintenance mode off on %s in the middle of a task', async (how) => {
    await serve({ window: { tasks: [{ runbook: 'long' }] } });
    const failure = await failureOf(
      run(async (handle) => {
        await temporal.env.sleep(2.5 * HOUR);
        await until(handle, ({ step }) => step === 'tasks: long');
        while (!world.log.includes('set long=1')) await temporal.env.sleep(10);
        if (how === 'abort') await handle.signal('abort', { by: 'ana', reason: 'customers call' });
        else await handle.cancel();
      }),
    );
    expect(failure.type).toBe('Aborted');
    expect(done()).toEqual([...OPENED, 'mode on', 'set long=1', 'set long=0', 'mode off', 'report']);
  });

  test('asks a person when maintenance mode cannot be taken off, and goes on when it can', async () => {
    await serve({ offFailures: [fails('Forbidden')] });
    await run();
    expect(world.notices.some((text) => text.startsWith('Stuck: Maintenance mode off'))).toBe(true);
    expect(done().slice(-2)).toEqual(['mode off', 'report']);
  });

  test('begins no task after the cutoff, finishes the one under way, and tells of an overrun twice', async () => {
    await serve({ window: { tasks: [{ runbook: 'long' }, { runbook: 'tidy' }], escalateAfter: '30m' } });
    const { report } = await run();
    expect(report!.tasks.map(({ runbook, outcome }) => `${runbook} ${outcome}`)).toEqual([
      ...['look done', 'long done', 'tidy cut-off', 'look done'],
    ]);
    expect(report!.overrunMs).toBeGreaterThanOrEqual(HOUR - 60_000);
    expect(world.notices.filter((text) => text.includes('is over by'))).toEqual([
      expect.stringMatching(/^Window weekly .*is over by 0 s and still at: long/),
      expect.stringMatching(/^Escalation: Window weekly .*is over by 30 min/),
    ]);
    expect(done()).not.toContain('set tidy=1');
  });

  test('waits behind a release, and opens late', async () => {
    await serve({ lease: 'queued' });
    const { report } = await run((handle) => grantAfter(handle, 0.5 * HOUR));
    expect(report!.tasks.every(({ outcome }) => outcome === 'done')).toBe(true);
    expect(done()).toEqual(['queued', 'claim', 'dump', 'mode on', 'set patch=2', 'set tidy=1', 'mode off', 'report']);
  });

  test('that gets its lease after the cutoff does nothing', async () => {
    await serve({ lease: 'queued' });
    expect(await failureOf(run((handle) => grantAfter(handle, 2 * HOUR)))).toMatchObject({ type: 'WindowClosed' });
    expect(done()).toEqual(['queued']);
  });

  test('that is closed or is another window this time does nothing', async () => {
    await serve({ slice: (slice) => ({ ...slice, closed: 'it opens on Sunday' }) });
    expect(await failureOf(run())).toMatchObject({ type: 'WindowClosed', message: expect.stringContaining('Sunday') });
    await temporal.stop();
    await serve({ slice: (slice) => ({ ...slice, coveredBy: 'monthly' }) });
    expect(await run()).toEqual({ outcome: 'covered', coveredBy: 'monthly' });
    expect(done()).toEqual([]);
  });

  test('gives way to a rollback: the page is gone before it hands over', async () => {
    await serve({ window: { tasks: [{ runbook: 'long' }] } });
    const failure = await failureOf(
      run(async (handle) => {
        await temporal.env.sleep(2.5 * HOUR);
        while (!world.log.includes('set long=1')) await temporal.env.sleep(10);
        const by = { workflowId: 'rollback/1', firstRunId: 'r', procedure: 'rollBackRelease', requestedBy: 'ana' };
        await handle.signal('standDown', { scope: 'shop', by: { ...by, summary: 'errors' }, graceMs: 15_000 });
      }),
    );
    expect(failure.type).toBe('StoodDown');
    expect(done()).toContain('mode off');
  });
});

/** Grants the lease this long after it was asked for. */
async function grantAfter(handle: Handle, ms: number): Promise<void> {
  await temporal.env.sleep(2 * HOUR);
  while (!world.log.includes('queued')) await temporal.env.sleep(60_000);
  await temporal.env.sleep(ms);
  const requestId = `${handle.firstExecutionRunId}/1`;
  await handle.signal('leaseGranted', { requestId, scope: 'shop', token: 7, sequence: 3 });
}
