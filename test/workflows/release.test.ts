import type { WorkflowHandleWithStartDetails } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { DecisionResult, GateView } from '../../src/contracts/gates.ts';
import type { DeployReleaseResult } from '../../src/contracts/deploy-release.ts';
import type { ProgressView } from '../../src/contracts/progress.ts';
import type { ReleaseRecord } from '../../src/domain/release/state.ts';
import { slice } from '../support/live.ts';
import { standIn, standInActivities, type StandIn } from '../support/stand-in-activities.ts';
import { startTimeSkipping, type TestTemporal } from '../support/temporal.ts';
import { failureOf } from '../support/workflow-failure.ts';

const HOUR = 3_600_000;
const STEP_MS = HOUR / 4;
const STUCK_STEP_MS = 2_000;
const GATED = {
  system: 'test',
  environment: 'local',
  service: 'shop',
  image: 'registry.example.com/shop:v2',
  requestedBy: 'kim',
};

type Handle = WorkflowHandleWithStartDetails;

let temporal: TestTemporal;
let world: StandIn;

// A server for each test: what a test leaves running, such as a retirement, would keep time from being skipped in the next.
const serve = async (over: Partial<StandIn> = {}): Promise<StandIn> => {
  world = standIn(over);
  temporal = await startTimeSkipping({ activities: () => standInActivities(world) });
  return world;
};
afterEach(() => temporal.stop());

/** Runs a procedure to its end, time skipped; `during` sees the handle while it runs. */
async function run<Result>(
  input: unknown,
  during: (handle: Handle) => Promise<void> = () => Promise.resolve(),
  type = 'deployRelease',
): Promise<Result> {
  const { client, taskQueue } = temporal;
  const handle = await client.workflow.start(type, { taskQueue, workflowId: taskQueue, args: [input] });
  await during(handle);
  // In steps, because awaiting the result lets the server skip to the end of all times when a busy worker is late.
  while ((await handle.describe()).status.name === 'RUNNING') await temporal.env.sleep(STEP_MS);
  return handle.result() as Promise<Result>;
}

const openGates = async (handle: Handle): Promise<GateView[]> => {
  for (;;) {
    const gates = await handle.query<GateView[]>('gates');
    if (gates.length > 0) return gates;
    await temporal.env.sleep(10);
  }
};
const approve = async (handle: Handle, by = 'ana'): Promise<DecisionResult> => {
  const [gate] = await openGates(handle);
  return handle.executeUpdate<DecisionResult, [unknown]>('decide', {
    args: [{ gate: gate!.name, decision: 'approve', by, code: gate!.code }],
  });
};
const approved = async (handle: Handle): Promise<void> => {
  expect(await approve(handle)).toMatchObject({ code: 'recorded' });
};

describe('a release', () => {
  test('soaks for its whole time, records the release as good, and lets the old color go a day later', async () => {
    await serve();
    const before = await temporal.env.currentTimeMs();
    const result = await run<DeployReleaseResult>(GATED, approved);
    expect(result).toMatchObject({
      outcome: 'released',
      version: 'v2',
      color: 'green',
      previous: { deployment: 'shop-blue', version: 'v1' },
    });
    expect(world.service.releases[0]).toMatchObject({ version: 'v2', outcome: 'good' });
    expect(Date.parse(result.previous!.retiresAt) - before).toBeGreaterThanOrEqual(
      24 * HOUR + slice().spec.release.soak.duration,
    );
    expect(world.calls.filter((name) => name === 'detectInterference').length).toBeGreaterThanOrEqual(20);
  });

  test('expires when nobody decides, and changes nothing', async () => {
    const hasty = slice();
    hasty.policies.deployRelease.gates[0]!.expiresAfter = HOUR;
    await serve({ slice: hasty });
    const failure = await failureOf(run(GATED));
    expect(failure).toMatchObject({
      type: 'GateNotApproved',
      message: expect.stringContaining('ended expired') as string,
    });
    expect(world.calls).not.toContain('claimTarget');
    // Once before the gate opens, then after 5, 15 and 35 minutes of the hour, ever more rarely, and when the hour is over.
    expect(world.calls.filter((name) => name === 'checkHealth')).toHaveLength(5);
  });

  test('is closed by a rejection with its reason', async () => {
    await serve();
    const failure = await failureOf(
      run(GATED, async (handle) => {
        const [gate] = await openGates(handle);
        await handle.signal('reject', { gate: gate!.name, by: 'ana', code: gate!.code, reason: 'not on a Friday' });
      }),
    );
    expect(failure).toMatchObject({
      type: 'GateNotApproved',
      message: expect.stringContaining('not on a Friday') as string,
    });
  });

  test('answers a decision that cannot count, and goes on waiting', async () => {
    await serve();
    await run(GATED, async (handle) => {
      const [gate] = await openGates(handle);
      const decide = (argument: unknown): Promise<DecisionResult> =>
        handle.executeUpdate('decide', { args: [argument] });
      expect(await decide({ gate: gate!.name, decision: 'approve', by: 'eve', code: gate!.code })).toMatchObject({
        code: 'unknown-person',
      });
      expect(await decide({ gate: gate!.name, decision: 'approve', by: 'ana', code: 'old-code' })).toMatchObject({
        code: 'wrong-code',
      });
      expect(await decide('yes')).toMatchObject({ code: 'malformed' });
      await handle.signal('approve', 17);
      const { timeline } = await handle.query<ProgressView>('progress');
      expect(timeline.filter(({ text }) => text.includes('without effect'))).toHaveLength(4);
      await approved(handle);
    });
  });

  test('brings traffic back first, then removes the new color, when its metrics fail', async () => {
    const spec = { ...slice().spec, metrics: [{ name: 'errors', query: 'q', unit: '', max: 0.01, failureLimit: 2 }] };
    const bad = [{ metric: 'errors', value: 0.5 }];
    await serve({ slice: { ...slice(), spec }, measurements: [bad] });
    const failure = await failureOf(run(GATED, approved));
    expect(failure.type).toBe('MetricsFailed');
    expect(failure.message).toContain('errors is 0.5, expected at most 0.01');
    expect(world.service.selector).toEqual({ app: 'shop', version: 'blue' });
    expect(world.service.deployments.map(({ name }) => name)).toEqual(['shop-blue']);
    const undo = world.calls.slice(world.calls.lastIndexOf('measure') + 1).filter((name) => name !== 'notify');
    expect(undo).toEqual(['switchTraffic', 'awaitDrained', 'removePreview', 'removeColor']);
  });

  test('asks people when the soak was inconclusive, and goes back when nobody answers', async () => {
    const spec = { ...slice().spec, metrics: [{ name: 'errors', query: 'q', unit: '', max: 0.01, failureLimit: 2 }] };
    await serve({ slice: { ...slice(), spec }, measurements: [[{ metric: 'errors' }]] });
    const failure = await failureOf(run(GATED, approved));
    expect(failure).toMatchObject({
      type: 'GateNotApproved',
      message: expect.stringContaining('unclear-soak') as string,
    });
    expect(world.service.selector).toEqual({ app: 'shop', version: 'blue' });
  });

  test('asks again when the target changed while people decided', async () => {
    await serve();
    let decisions = 0;
    await run(GATED, async (handle) => {
      const first = (await openGates(handle))[0]!.code;
      world.service = { ...world.service, uid: 'another-service' };
      await approved(handle);
      decisions++;
      for (;;) {
        const [gate] = await openGates(handle);
        if (gate!.outcome === 'waiting' && gate!.code !== first) break;
        await temporal.env.sleep(10);
      }
      await approved(handle);
      decisions++;
    });
    expect(decisions).toBe(2);
  });

  describe('whose way back is blocked', () => {
    /** v2 fails its metrics, and the switch back fails as often as `refusals` says. */
    const blocked = async (refusals: number): Promise<void> => {
      const spec = { ...slice().spec, metrics: [{ name: 'errors', query: 'q', unit: '', max: 0.01, failureLimit: 1 }] };
      await serve({ slice: { ...slice(), spec }, measurements: [[{ metric: 'errors', value: 1 }]] });
      world.slice.policies.deployRelease.notify = ['ops'];
      let left = refusals;
      world.replace.switchTraffic = ({ record }: { record: ReleaseRecord }) => {
        if (record.deployment === 'shop-blue' && left-- > 0)
          throw ApplicationFailure.nonRetryable('the API server does not answer', 'Unavailable');
        world.service.selector = record.selector;
      };
    };

    test('asks a person, and meanwhile tries again by itself until it works', async () => {
      await blocked(3);
      let timeline: ProgressView['timeline'] = [];
      const failure = await failureOf(
        run(GATED, async (handle) => {
          await approved(handle);
          while ((await handle.describe()).status.name === 'RUNNING') await temporal.env.sleep(STEP_MS);
          ({ timeline } = await handle.query<ProgressView>('progress'));
        }),
      );
      expect(failure.type).toBe('MetricsFailed');
      expect(failure.message).toContain('taken back');
      expect(timeline.map(({ text }) => text)).toContain('Stuck: Bring traffic back to shop-blue (v1)');
      expect(world.service.selector).toEqual({ app: 'shop', version: 'blue' });
      expect(world.notices.filter((text) => text.startsWith('Stuck'))).toHaveLength(1);
    });

    test('leaves the target as it is, and marked dirty, when a person gives up', async () => {
      await blocked(Infinity);
      const failure = await failureOf(
        run(GATED, async (handle) => {
          await approved(handle);
          const giveUp = (): Promise<{ accepted: boolean }> =>
            handle.executeUpdate('rescue', { args: [{ verb: 'give-up', by: 'ana', reason: 'the cluster is gone' }] });
          // In steps: an answer each ten milliseconds would be thousands of events until the step is stuck.
          while (!(await giveUp()).accepted) await temporal.env.sleep(STUCK_STEP_MS);
        }),
      );
      expect(failure).toMatchObject({
        type: 'MetricsFailed',
        message: expect.stringContaining('marked dirty') as string,
      });
      expect(world.service.selector).toEqual({ app: 'shop', version: 'green' });
    });
  });

  test.each<[string, unknown]>([
    ['no object', 'v2'],
    ['nothing', undefined],
    ['an extra field', { ...GATED, force: true }],
    ['a wrong type', { ...GATED, image: 7 }],
    ['a malformed image', { ...GATED, image: 'shop:::v2' }],
    ['the tag latest', { ...GATED, image: 'shop:latest' }],
  ])('refuses %s as input with a clear error', async (_what, input) => {
    await serve();
    const failure = await failureOf(run(input));
    expect(failure.type).toBe('InvalidInput');
    expect(failure.message).toContain('A valid input: {"system":"sandbox"');
  });
});

describe('the retirement of a color', () => {
  const retire = async (during?: (handle: Handle) => Promise<void>): Promise<unknown> => {
    const retireAt = new Date((await temporal.env.currentTimeMs()) + 24 * HOUR).toISOString();
    const color = { deployment: 'shop-blue', uid: 'uid-blue' };
    const input = { system: 'test', environment: 'local', service: 'shop', ...color, retireAt, requestedBy: 'kim' };
    return run(input, during, 'retireColor');
  };
  const afterSwitch = async (): Promise<void> => {
    await serve();
    world.service.selector = { app: 'shop', version: 'green' };
  };

  test('happens after its 24 hours and not before', async () => {
    await afterSwitch();
    const before = await temporal.env.currentTimeMs();
    await retire(async (handle) => {
      await temporal.env.sleep(24 * HOUR - 60_000);
      expect(world.calls).toEqual([]);
      expect((await handle.query<ProgressView>('progress')).phase).toBe('sleeping');
    });
    expect(world.calls).toContain('removeColor');
    expect((await temporal.env.currentTimeMs()) - before).toBeGreaterThanOrEqual(24 * HOUR);
  });

  test('leaves a color alone that serves again', async () => {
    await serve();
    expect(await retire()).toMatchObject({ outcome: 'in-service' });
    expect(world.calls).not.toContain('removeColor');
  });

  test('leaves another Deployment of the same name alone', async () => {
    await afterSwitch();
    world.service.deployments[0]!.uid = 'another';
    expect(await retire()).toMatchObject({ outcome: 'gone' });
    expect(world.calls).not.toContain('removeColor');
  });

  test('is stopped by somebody who keeps the color', async () => {
    await afterSwitch();
    const kept = await retire((handle) => handle.signal('keepColor', { by: 'ana', reason: 'comparing' }));
    expect(kept).toMatchObject({ outcome: 'kept', message: expect.stringContaining('comparing') as string });
    expect(world.calls).toEqual([]);
  });
});
