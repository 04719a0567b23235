import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Unexported } from '../../activities/audit.ts';
import { failure } from '../../src/adapters/failure.ts';
import { ensureSchedule } from '../../src/adapters/schedules.ts';
import { exportAuditId, type AuditChain, type AuditRun } from '../../src/contracts/audit.ts';
import { startLocalServer, type TestTemporal } from '../support/temporal.ts';

/** Runs that have ended, by chain, and what was done with them. */
interface World {
  ended: (AuditChain & AuditRun)[];
  recorded: string[];
  sealed: string[];
  marks: string[];
  /** Calls of recordRun under way in one chain: never two. */
  most: number;
  /** How many one answer holds. */
  page: number;
  unreadable: string[];
  before?: () => Promise<void>;
}
const fresh = (over: Partial<World> = {}): World => ({
  ...{ ended: [], recorded: [], sealed: [], marks: [], most: 0, page: 3, unreadable: [] },
  ...over,
});
const run = (environment: string, runId: string) => ({ system: 'shop', environment, workflowId: `of/${runId}`, runId });

let world: World;
let temporal: TestTemporal;
let underWay = 0;
const activities = {
  async findUnexported({
    system,
    environment,
    skip = [],
  }: Partial<AuditChain> & { skip?: string[] }): Promise<Unexported> {
    const found = world.ended.filter(
      (each) =>
        !world.recorded.includes(each.runId) &&
        !skip.includes(each.runId) &&
        (!system || each.system === system) &&
        (!environment || each.environment === environment),
    );
    const chains = new Map<string, Unexported['chains'][number]>();
    for (const { system: s, environment: e, workflowId, runId } of found.slice(0, world.page)) {
      const chain = chains.get(e) ?? { system: s, environment: e, runs: [] };
      chain.runs.push({ workflowId, runId });
      chains.set(e, chain);
    }
    return { chains: [...chains.values()], more: found.length > world.page, at: '2026-11-27T00:00:00.000Z' };
  },
  async recordRun({ runId }: AuditRun) {
    world.most = Math.max(world.most, ++underWay);
    await world.before?.();
    underWay--;
    if (world.unreadable.includes(runId)) throw failure('Interfered', `${runId} is no history`);
    if (world.recorded.includes(runId)) return { outcome: 'already', records: 0 };
    world.recorded.push(runId);
    return { outcome: 'exported', records: 2 };
  },
  async sealSegments({ environment }: AuditChain) {
    if (environment === 'broken') throw failure('Forbidden', `no store for ${environment}`);
    world.sealed.push(environment);
    return { sealed: 1 };
  },
  async markReconciled({ until }: { until: string }) {
    world.marks.push(until);
  },
};
beforeAll(async () => {
  temporal = await startLocalServer({ activities: () => activities });
}, 120_000);
afterAll(() => temporal.stop());

let started = 0;
const start = (type: string, input: unknown, workflowId = `${type}-${++started}`) =>
  temporal.client.workflow.start(type, { taskQueue: temporal.taskQueue, workflowId, args: [input] });
const outcome = async (type: string, input: unknown) => (await start(type, input)).result() as Promise<unknown>;
async function failureOf(running: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await running.then(
    () => undefined,
    (raised: unknown) => raised,
  );
  if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure) return error.cause;
  throw error instanceof Error ? error : new Error('it did not fail');
}

test('everything that has ended is exported, chain by chain, until nothing is left; then the time is noted', async () => {
  world = fresh({ ended: ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id, index) => run(index % 2 ? 'one' : 'two', id)) });
  expect(await outcome('reconcileAudit', {})).toEqual({ exported: 7, records: 14, sealed: 5 });
  expect([...world.recorded].sort().join('')).toBe('abcdefg');
  expect(world.marks).toEqual(['2026-11-27T00:00:00.000Z']);
});

test('for one place only what is of it is exported, and no time is noted', async () => {
  world = fresh({ ended: [run('one', 'a'), run('two', 'b')] });
  await outcome('reconcileAudit', { system: 'shop', environment: 'one' });
  expect({ recorded: world.recorded, marks: world.marks }).toEqual({ recorded: ['a'], marks: [] });
});

test('a run that cannot be read keeps no other out; it fails at the end, and no time is noted', async () => {
  world = fresh({ ended: ['a', 'b', 'c', 'd', 'e'].map((id) => run('one', id)), unreadable: ['b'] });
  const { type, message } = await failureOf(outcome('reconcileAudit', {}));
  expect({ type, message }).toEqual({ type: 'Interfered', message: 'b b is no history' });
  expect({ recorded: world.recorded.join(''), marks: world.marks }).toEqual({ recorded: 'acde', marks: [] });
});

test('two reconciliations at once have one writer in a chain, and the second waits for the first', async () => {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  world = fresh({ ended: ['a', 'b', 'c'].map((id) => run('one', id)), before: () => gate });
  const both = [
    await start('reconcileAudit', { system: 'shop' }),
    await start('reconcileAudit', { environment: 'one' }),
  ];
  await temporal.client.workflow.getHandle(exportAuditId({ system: 'shop', environment: 'one' })).describe();
  await waitUntil(async () =>
    (await Promise.all(both.map((each) => each.fetchHistory()))).some(({ events }) =>
      events?.some((event) => event.startChildWorkflowExecutionFailedEventAttributes),
    ),
  );
  open();
  const results = (await Promise.all(both.map((each) => each.result()))) as { exported: number }[];
  expect(results.map(({ exported }) => exported).sort()).toEqual([0, 3]);
  expect({ most: world.most, recorded: world.recorded.join('') }).toEqual({ most: 1, recorded: 'abc' });
});

test('a chain that cannot be sealed fails the reconciliation and keeps no other chain out', async () => {
  world = fresh({ ended: [run('broken', 'a'), run('one', 'b'), run('two', 'c')], page: 10 });
  expect((await failureOf(outcome('reconcileAudit', {}))).message).toContain('no store for broken');
  expect({ recorded: world.recorded.sort(), sealed: world.sealed.sort(), marks: world.marks }).toEqual({
    recorded: ['a', 'b', 'c'],
    sealed: ['one', 'two'],
    marks: [],
  });
});

test('the Schedule that a worker makes exports by itself; made again, also by another worker, it stays one', async () => {
  world = fresh({ ended: [run('one', 'a')] });
  const wanted = {
    ...{ scheduleId: 'audit/test', everyMs: 1_000, workflowType: 'reconcileAudit', workflowId: 'audit-reconcile/test' },
    ...{ taskQueue: temporal.taskQueue, input: {}, summary: 'test' },
  };
  const { schedule } = temporal.client;
  const every = async () => Number((await schedule.getHandle('audit/test').describe()).spec.intervals?.[0]?.every);
  await Promise.all([ensureSchedule(temporal.client, wanted), ensureSchedule(temporal.client, wanted)]);
  await waitUntil(async () => world.recorded.includes('a') && world.marks.length > 0);
  await schedule.getHandle('audit/test').pause('by hand');
  await ensureSchedule(temporal.client, { ...wanted, everyMs: 60_000 });
  expect([await every(), (await schedule.getHandle('audit/test').describe()).state.paused]).toEqual([60_000, true]);
  await schedule.getHandle('audit/test').delete();
});

test('what is no input is refused with what is wrong, and nothing is done', async () => {
  world = fresh({ ended: [run('one', 'a')] });
  for (const [type, input] of [
    ['reconcileAudit', { system: '../x' }],
    ['exportAudit', { system: 'shop' }],
    ['readAudit', { ask: 'everything' }],
    ['readAudit', { ask: 'read', objects: [{ file: 'shop/one/segments/00000001.jsonl', key: 'evidence/secret.log' }] }],
    ['readAudit', { ask: 'read', objects: [{ file: '../../x', key: '../../x' }] }],
  ] as const)
    expect((await failureOf(outcome(type, input))).type).toBe('InvalidInput');
  expect(world.recorded).toEqual([]);
});

async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 30));
}
