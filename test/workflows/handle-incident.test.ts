import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { HandleIncidentResult, IncidentAlert } from '../../src/contracts/handle-incident.ts';
import type { OrderResult } from '../../src/contracts/messages.ts';
import type { ProgressView } from '../../src/contracts/progress.ts';
import { alertOf, incidentActivities, incidentWorld, POLICY, type IncidentWorld } from '../support/incident.ts';
import { fails } from '../support/runbook.ts';
import { startTimeSkipping, type TestTemporal } from '../support/temporal.ts';

const MINUTE = 60_000;
const INPUT = { system: 'test', environment: 'local', service: 'shop', requestedBy: 'alertmanager' };
const WITHOUT_RUNBOOKS = { ...POLICY, alerts: [] };
const TWO_KINDS = { ...POLICY, alerts: [{ alert: 'Down', resolved: 'up' }, ...POLICY.alerts] };

let temporal: TestTemporal;
let world: IncidentWorld;
let id = '';

const serve = async (over: Partial<IncidentWorld> = {}): Promise<void> => {
  world = incidentWorld(over);
  temporal = await startTimeSkipping({ activities: () => incidentActivities(world) });
  id = `incident/${temporal.taskQueue}`;
};
afterEach(() => temporal.stop());

/** What the intake does with a webhook. */
const bring = (...alerts: IncidentAlert[]): Promise<WorkflowHandle> =>
  temporal.client.workflow.signalWithStart('handleIncident', {
    taskQueue: temporal.taskQueue,
    workflowId: id,
    args: [INPUT],
    signal: 'alerts',
    signalArgs: [{ alerts }],
  });

const order = (handle: WorkflowHandle, name: string, payload: object) =>
  handle.executeUpdate<OrderResult, [unknown]>(name, { args: [payload] });

/** Lets time pass, in steps in which activities and children have their turn. */
async function pass(minutes: number, stepMinutes = 1): Promise<void> {
  for (let at = 0; at < minutes; at += stepMinutes) await temporal.env.sleep(stepMinutes * MINUTE);
}

const view = (handle: WorkflowHandle) => handle.query<ProgressView>('progress');
const ended = async (handle: WorkflowHandle): Promise<HandleIncidentResult> => {
  while ((await handle.describe()).status.name === 'RUNNING') await temporal.env.sleep(MINUTE);
  return handle.result() as Promise<HandleIncidentResult>;
};
async function inputOf(workflowId: string): Promise<unknown> {
  const { events } = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
  return defaultPayloadConverter.fromPayload(events![0]!.workflowExecutionStartedEventAttributes!.input!.payloads![0]!);
}
const calls = () => world.told.filter(({ text }) => text.includes('please acknowledge'));
const called = () => calls().map(({ text }) => /: (\w+), please/.exec(text)![1]);
/** The runbooks that ran, by the draft of the post-mortem. */
const runbooksKept = () =>
  Array.from(world.kept[0]!.matchAll(/^- (diagnose|remedy|recovery): (\w+): /gm), ([, purpose, name]) => `${purpose}: ${name}`); // prettier-ignore
const RESOLVED = { status: 'resolved' } as const;

describe('an incident', () => {
  test('is diagnosed, remedied with the priority of an incident, and over only when the criterion held', async () => {
    await serve();
    const handle = await bring(alertOf());
    await pass(3);
    expect(world.log).toEqual(['plan', 'plan', 'acquire shop', 'claim', 'set a=1']);
    expect((await view(handle)).phase).toBe('waiting');
    expect(await inputOf(`${id}/remedy`)).toMatchObject({ severity: 'P3', alert: { labels: alertOf().labels } });

    await bring(alertOf(RESOLVED));
    const result = await ended(handle);
    expect(world.log.slice(5)).toEqual(['plan', 'poll output.value == 1']);
    expect(result).toMatchObject({ outcome: 'resolved', severity: 'P3', alerts: 1 });
    expect(result.milestones).toMatchObject({ mitigatedAt: expect.any(String) as string });
    expect(result.mttrMs).toBeGreaterThan(0);
    expect(world.kept[0]).toContain('remedy: repair: completed');
    expect(world.told.filter(({ channels }) => channels.includes('status')).map(({ text }) => text)).toEqual([
      'P3 Broken: it is broken (test local) is being looked at.',
      expect.stringContaining('is over after') as string,
    ]);
  });

  test('without a criterion is over when its alerts have been quiet long enough, and not when they come back', async () => {
    await serve({ policy: WITHOUT_RUNBOOKS });
    const handle = await bring(alertOf());
    await bring(alertOf(RESOLVED));
    await pass(4);
    await bring(alertOf({ fingerprint: 'f2' }));
    await pass(10);
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await bring(alertOf({ fingerprint: 'f2', ...RESOLVED }));
    expect(await ended(handle)).toMatchObject({ outcome: 'resolved', alerts: 2 });
  });

  test('calls the chain at the times of its severity until somebody acknowledges', async () => {
    await serve({ policy: WITHOUT_RUNBOOKS, facts: { errors: 11 } });
    const handle = await bring(alertOf());
    await pass(14);
    expect(called()).toEqual(['primary']);
    expect(calls()[0]!.channels).toEqual(['ops', 'pager']);
    await pass(2);
    expect(called()).toEqual(['primary', 'secondary']);
    expect((await view(handle)).awaiting).toEqual(['lead', 'devops']);
    await pass(10);
    expect(called()).toEqual(['primary', 'secondary', 'vp']);
    expect(await order(handle, 'acknowledge', { by: 'ana' })).toMatchObject({ accepted: true });
    await pass(60, 20);
    expect(called()).toEqual(['primary', 'secondary', 'vp']);
    expect((await view(handle)).awaiting).toEqual([]);
    expect(await order(handle, 'resolve', { by: 'ana', reason: 'was a drill' })).toMatchObject({ accepted: true });
    const result = await ended(handle);
    expect(result).toMatchObject({ outcome: 'resolved', severity: 'P1', why: 'errors is 11, over 10' });
    expect(result.mttaMs).toBeGreaterThanOrEqual(26 * MINUTE);
  });

  test('of the mildest severity calls nobody else before the next business day', async () => {
    await serve({ policy: WITHOUT_RUNBOOKS });
    await bring(alertOf());
    await pass(300, 60);
    expect(called()).toEqual(['primary']);
    await pass(6 * 24 * 60, 12 * 60);
    expect(called().slice(0, 2)).toEqual(['primary', 'secondary']);
  });

  test('takes an acknowledgement and a resolution as signals, as the Temporal UI sends them', async () => {
    await serve({ policy: WITHOUT_RUNBOOKS });
    const handle = await bring(alertOf());
    await pass(1);
    await handle.signal('acknowledge', { by: 'ana' });
    await handle.signal('resolve', { by: 'ana', reason: 'false alarm' });
    expect(await ended(handle)).toMatchObject({ outcome: 'resolved', mttaMs: expect.any(Number) as number });
  });

  test('becomes worse by an alert that comes later, and keeps what a person set', async () => {
    await serve({ policy: WITHOUT_RUNBOOKS });
    const handle = await bring(alertOf());
    await pass(1);
    expect(await order(handle, 'setSeverity', { severity: 'P9', by: 'ana', reason: 'x' })).toMatchObject({
      accepted: false,
      message: 'No severity P9; there is: P1, P3.',
    });
    await bring(alertOf({ fingerprint: 'f2', labels: { alertname: 'Broken', severity: 'page' } }));
    await pass(2);
    expect((await view(handle)).lines).toContain('P1: an alert has severity "page"');
    await order(handle, 'setSeverity', { severity: 'P3', by: 'ana', reason: 'nobody is hurt' });
    await bring(alertOf({ fingerprint: 'f3', labels: { alertname: 'Broken', severity: 'page' } }));
    await pass(2);
    await order(handle, 'resolve', { by: 'ana', reason: 'done' });
    expect(await ended(handle)).toMatchObject({ severity: 'P3', why: 'an alert has severity "page"' });
    expect(world.kept[0]).toContain('P3 by ana: nobody is hurt');
  });

  test.each([
    ['acknowledge', { by: 'nobody' }, 'nobody is not among the people of test.'],
    ['acknowledge', { who: 'ana' }, 'Expected {"by": "kim"}.'],
    ['resolve', { by: 'ana' }, 'Expected {"by": "kim", "reason": "…"}.'],
    ['setSeverity', 7, 'Expected {"severity": "P1", "by": "kim", "reason": "…"}.'],
  ])('answers %s %j that cannot count, without effect', async (name, payload, message) => {
    await serve({ policy: WITHOUT_RUNBOOKS });
    const handle = await bring(alertOf());
    await pass(1);
    expect(await order(handle, name, payload as object)).toEqual({ accepted: false, message });
    expect((await handle.describe()).status.name).toBe('RUNNING');
  });

  test('that a remedy-less alert opened is remedied by the runbook of one that joins, and over when both criteria held', async () => {
    await serve({ policy: TWO_KINDS });
    const handle = await bring(alertOf({ labels: { alertname: 'Down' } }));
    await pass(2);
    expect(world.log).toEqual([]);
    await bring(alertOf({ fingerprint: 'f2' }), alertOf({ fingerprint: 'f3' }));
    await pass(2);
    expect(world.log).toEqual(['plan', 'plan', 'acquire shop', 'claim', 'set a=1']);
    await bring(
      ...['f2', 'f3'].map((fingerprint) => alertOf({ fingerprint, ...RESOLVED })),
      alertOf({ labels: { alertname: 'Down' }, ...RESOLVED }),
    );
    expect(await ended(handle)).toMatchObject({ outcome: 'resolved', alerts: 3 });
    expect(runbooksKept()).toEqual(['diagnose: diagnose', 'remedy: repair', 'recovery: up', 'recovery: well']);
  });

  test('is not over by the criterion of its first alert when another joins in the meantime', async () => {
    await serve({ policy: TWO_KINDS });
    const handle = await bring(alertOf({ labels: { alertname: 'Down' } }));
    await bring(alertOf({ labels: { alertname: 'Down' }, ...RESOLVED }));
    // It is quiet after 5 minutes.
    await pass(8);
    expect((await view(handle)).timeline.at(-1)!.text).toContain('recovery: runbook up');
    await bring(alertOf({ fingerprint: 'f2' }));
    await pass(2);
    expect(world.log).toContain('set a=1');
    await bring(alertOf({ fingerprint: 'f2', ...RESOLVED }));
    await ended(handle);
    expect(runbooksKept()).toEqual([
      ...['recovery: up', 'diagnose: diagnose', 'remedy: repair', 'recovery: up', 'recovery: well'],
    ]);
    expect(world.kept[0]).toContain('recovery: up: ended early');
  });

  test('leaves out the remedy of an alert that joined and is gone before its turn', async () => {
    await serve({ policy: TWO_KINDS });
    const handle = await bring(alertOf({ labels: { alertname: 'Down' } }));
    await pass(1);
    await bring(alertOf({ fingerprint: 'f2' }));
    await bring(alertOf({ fingerprint: 'f2', ...RESOLVED }));
    await pass(2);
    await order(handle, 'resolve', { by: 'ana', reason: 'done' });
    await ended(handle);
    expect(runbooksKept()).toEqual(['diagnose: diagnose']);
    expect(world.kept[0]).toContain('it went by itself: no remedy');
  });

  test('is remedied when its alert went by itself while it was diagnosed, and is back while it is seen whether it is over', async () => {
    await serve({ policy: { ...POLICY, alerts: [{ ...POLICY.alerts[0], resolved: 'up' }] } });
    const handle = await bring(alertOf());
    await bring(alertOf(RESOLVED));
    // It is quiet after 5 minutes.
    await pass(8);
    expect((await view(handle)).timeline.at(-1)!.text).toContain('recovery: runbook up');
    expect(world.log).not.toContain('set a=1');
    const again = { startsAt: '2026-11-26T10:08:00Z' };
    await bring(alertOf(again));
    await pass(2);
    expect(world.log).toContain('set a=1');
    await bring(alertOf({ ...again, ...RESOLVED }));
    expect(await ended(handle)).toMatchObject({ outcome: 'resolved', alerts: 2 });
    expect(runbooksKept()).toEqual(['diagnose: diagnose', 'recovery: up', 'remedy: repair', 'recovery: up']);
    expect(world.kept[0]).toContain('recovery: up: ended early');
  });

  test('whose remedy fails is left to people', async () => {
    await serve({ failures: { 'set a': [fails('Refused')] } });
    const handle = await bring(alertOf());
    await pass(2);
    await temporal.client.workflow.getHandle(`${id}/remedy`).signal('abort', { by: 'ana', reason: 'stuck' });
    await pass(2);
    expect(world.told.map(({ text }) => text).join()).toContain('people are needed');
    await order(handle, 'resolve', { by: 'ana', reason: 'by hand' });
    expect(await ended(handle)).toMatchObject({ outcome: 'resolved' });
  });
});

describe('alerts', () => {
  test('that are sent again have no effect', async () => {
    await serve({ policy: WITHOUT_RUNBOOKS });
    const handle = await bring(alertOf());
    await pass(1);
    const before = (await view(handle)).timeline.length;
    for (let times = 0; times < 5; times++) await bring(alertOf());
    await pass(1);
    expect((await view(handle)).timeline).toHaveLength(before);
    await order(handle, 'resolve', { by: 'ana', reason: 'done' });
    expect(await ended(handle)).toMatchObject({ alerts: 1 });
  });

  test('of an incident that is over open nothing when they are sent again', async () => {
    await serve({ policy: WITHOUT_RUNBOOKS, former: ['f1/1795687200000'] });
    expect(Date.parse('2026-11-26T10:00:00Z')).toBe(1_795_687_200_000);
    expect(await ended(await bring(alertOf()))).toEqual({ outcome: 'known' });
    expect(world.told).toEqual([]);
  });

  test('of one cause, a thousand of them, are one incident with a bounded history', async () => {
    await serve({ policy: WITHOUT_RUNBOOKS });
    const storm = Array.from({ length: 1000 }, (_, index) => alertOf({ fingerprint: `f${index}` }));
    const handle = await bring(...storm.slice(0, 500));
    for (let from = 500; from < 1000; from += 50) await bring(...storm.slice(from, from + 50));
    await pass(3);
    expect(called()).toEqual(['primary']);
    expect(world.measured).toBeLessThanOrEqual(4);
    await bring(...storm.map((each) => ({ ...each, ...RESOLVED })));
    expect(await ended(handle)).toMatchObject({ outcome: 'resolved', alerts: 1000 });
    expect((await handle.describe()).historyLength).toBeLessThan(300);
  });
});

test('a plan shows severity, chain and runbooks, and tells nobody', async () => {
  await serve({ facts: { errors: 50 } });
  const handle = await temporal.client.workflow.start('handleIncident', {
    taskQueue: temporal.taskQueue,
    workflowId: id,
    args: [{ ...INPUT, alert: 'Broken', planOnly: true }],
  });
  const result = await ended(handle);
  expect(result).toMatchObject({ outcome: 'planned', severity: 'P1' });
  expect(result.plan!.changes.map(({ name }) => name)).toEqual(['diagnose', 'repair', 'well']);
  expect(world.told).toEqual([]);
});
