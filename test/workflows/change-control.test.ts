import { WorkflowUpdateFailedError } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { createLeasesActivities, type LeasesActivities } from '../../activities/leases.ts';
import { isFailure } from '../../src/adapters/failure.ts';
import {
  changeControlId,
  type AcquireReply,
  type AcquireRequest,
  type ChangeControlInput,
  type ChangeControlState,
} from '../../src/contracts/change-control.ts';
import { startLocalServer, type TestTemporal } from '../support/temporal.ts';
import type { HolderInput, HolderView, Step } from '../support/workflows/holders.ts';

// In real time on a real server: a watcher is an activity under way, and with one the other server does not skip time.
let temporal: TestTemporal;
let leases: LeasesActivities;
let environments = 0;

beforeAll(async () => {
  temporal = await startLocalServer({
    workflows: 'test/support/workflows/holders.ts',
    activities: (given) => (leases = createLeasesActivities(given)),
  });
}, 120_000);
afterAll(() => temporal?.stop(), 30_000);

/** Looks until something is so; what it saw last is in the error. */
async function until<T>(look: () => Promise<T>, isSo: (seen: T) => boolean, timeoutMs = 20_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
    if (performance.now() > deadline) throw new Error(`not seen in ${timeoutMs} ms; last: ${JSON.stringify(seen)}`);
    await delay(50);
  }
}

/** An environment of its own for each test, and procedures in it. */
function environment() {
  const at: ChangeControlInput = { system: 'sandbox', environment: `e${++environments}` };
  const control = temporal.client.workflow.getHandle(changeControlId(at));
  /** Empty before the first procedure has asked. */
  const state = () =>
    control.query<ChangeControlState>('state').catch((error: unknown): Partial<ChangeControlState> => {
      if (error instanceof WorkflowNotFoundError) return {};
      throw error;
    });
  return {
    at,
    control,
    state,
    async start(name: string, priority: HolderInput['priority'], steps: Step[], over: Partial<HolderInput> = {}) {
      const input: HolderInput = { at, scope: 'shop', priority, steps, ...over };
      const workflowId = `${name}/${at.environment}`;
      const handle = await temporal.client.workflow.start('holder', {
        taskQueue: temporal.taskQueue,
        workflowId,
        args: [input],
      });
      const view = () => handle.query<HolderView>('view');
      return {
        handle,
        view,
        result: () => handle.result() as Promise<HolderView>,
        proceed: () => handle.signal('proceed'),
        /** Until it has done so many steps. */
        done: (steps: number, timeoutMs?: number) => until(view, ({ done }) => done >= steps, timeoutMs),
      };
    },
    /** Until the leases and the queue are so: `name mode` or `name dirty`. */
    shows: (leases: string[], queue: string[] = []) =>
      until(state, (seen) => {
        const held = (seen.leases ?? []).map(
          ({ holder, mode, dirty }) => `${nameOf(holder)} ${dirty ? 'dirty' : mode}`,
        );
        return (
          held.join() === leases.join() &&
          (seen.queue ?? []).map(({ holder }) => nameOf(holder)).join() === queue.join()
        );
      }),
  };
}

const nameOf = ({ workflowId }: { workflowId: string }): string => workflowId.split('/')[0]!;
const HOLD: Step = { do: 'hold', onBusy: 'queue' };
const PREEMPT: Step = { do: 'hold', onBusy: 'queue', preempt: true };
const WAIT: Step = { do: 'wait' };
const RELEASE: Step = { do: 'release', state: 'clean' };

const request = (workflowId: string, firstRunId: string, requestId: string): AcquireRequest => ({
  requestId,
  holder: { workflowId, firstRunId, procedure: 'holder', requestedBy: 'ana', summary: 'shop' },
  scope: 'shop',
  priority: 'deployment',
  mode: 'hold',
  onBusy: 'queue',
  preempt: false,
});

describe('procedures and change control', () => {
  test('the first who asks starts change control and holds the lease; the second gets it by signal', async () => {
    const { start, shows } = environment();
    const one = await start('one', 'deployment', [HOLD, WAIT, RELEASE]);
    const first = await one.done(1);
    const two = await start('two', 'deployment', [HOLD, WAIT, RELEASE]);
    await shows(['one hold'], ['two']);
    expect((await two.view()).lines[0]).toMatch(
      /number 1 in the queue behind holder \(deployment of shop, asked by ana/,
    );
    await one.proceed();
    const second = await two.done(1);
    expect(second.token).toBeGreaterThan(first.token!);
    await two.proceed();
    await two.result();
    await shows([]);
  });

  test('a refusal fails the procedure as LeaseUnavailable, by the name of the holder', async () => {
    const { start } = environment();
    const one = await start('one', 'deployment', [{ do: 'reserve', onBusy: 'refuse' }, WAIT]);
    await one.done(1);
    const two = await start('two', 'deployment', [{ do: 'reserve', onBusy: 'refuse' }]);
    const error = await two.result().catch((thrown: { cause: unknown }) => thrown.cause);
    expect(error).toMatchObject({ type: 'LeaseUnavailable', message: expect.stringContaining('reserved by one/') });
  });

  test('a reservation becomes the lease, and one whose holder is terminated vanishes', async () => {
    const { start, shows } = environment();
    const one = await start('one', 'deployment', [{ do: 'reserve', onBusy: 'queue' }, WAIT, HOLD, WAIT]);
    await shows(['one reserve']);
    await one.proceed();
    await shows(['one hold']);
    const two = await start('two', 'deployment', [{ do: 'reserve', onBusy: 'queue' }, WAIT], { scope: 'web' });
    await shows(['one hold', 'two reserve']);
    await two.handle.terminate();
    await shows(['one hold']);
  });

  test('one that asks for two services gets both or waits for both, and others wait behind it', async () => {
    const { start, shows } = environment();
    const one = await start('one', 'deployment', [HOLD, WAIT, RELEASE]);
    await one.done(1);
    const both = await start('both', 'deployment', [HOLD, WAIT, RELEASE], { also: ['web'] });
    await shows(['one hold'], ['both']);
    const web = await start('web', 'deployment', [HOLD, RELEASE], { scope: 'web' });
    await shows(['one hold'], ['both', 'web']);
    await one.proceed();
    await shows(['both hold', 'both hold'], ['web']);
    await both.proceed();
    await web.result();
    await shows([]);
  });

  test('one that holds a lease past the end that it named is told, and shown as overdue', async () => {
    const { start, state } = environment();
    const one = await start('one', 'maintenance', [{ ...HOLD, until: Date.now() + 1 }, WAIT, RELEASE]);
    expect(await until(one.view, ({ overdue }) => overdue !== undefined)).toMatchObject({ overdue: { scope: 'shop' } });
    expect((await state()).leases).toMatchObject([{ mode: 'hold', overdue: true }]);
    await one.proceed();
    await one.result();
  });

  test('a procedure that is canceled while it waits leaves the queue', async () => {
    const { start, shows } = environment();
    await (await start('one', 'deployment', [HOLD, WAIT])).done(1);
    const two = await start('two', 'deployment', [HOLD]);
    await shows(['one hold'], ['two']);
    await two.handle.cancel();
    await shows(['one hold']);
  });

  test('who is terminated in the queue leaves it, and the next is served', async () => {
    const { start, shows } = environment();
    const one = await start('one', 'deployment', [HOLD, WAIT, RELEASE]);
    await one.done(1);
    const two = await start('two', 'deployment', [HOLD]);
    await shows(['one hold'], ['two']);
    await start('three', 'deployment', [HOLD, WAIT]);
    await shows(['one hold'], ['two', 'three']);
    await two.handle.terminate();
    await shows(['one hold'], ['three']);
    await one.proceed();
    await shows(['three hold']);
  });

  test('a signal to a holder that has ended, or to another chain of runs, is told apart from a delivered one', async () => {
    const { start } = environment();
    const { handle, view } = await start('one', 'deployment', [WAIT]);
    const holder = { workflowId: handle.workflowId, firstRunId: handle.firstExecutionRunId };
    const payload = { requestId: 'r', scope: 'shop', sequence: 1 };
    const other = { ...holder, firstRunId: '00000000-0000-0000-0000-000000000000' };
    const grant = (to: typeof holder, attempt = 1) =>
      new MockActivityEnvironment({ attempt }).run(leases.signalHolder, {
        holder: to,
        signal: 'leaseGranted' as const,
        payload,
      } as never);
    expect(await grant(other)).toEqual({ delivered: false });
    expect(await grant(holder)).toEqual({ delivered: true });
    expect(await view()).toMatchObject({ done: 0 });
    await handle.terminate();
    expect(await grant(holder)).toEqual({ delivered: false });
    // The attempt before may have delivered it, and what the holder did with it before its end is unknown.
    expect(await grant(holder, 2)).toEqual({ delivered: true });
  });

  test('a holder that is reset keeps the lease, and gets a new token when it asks again', async () => {
    const { at, start, state, shows } = environment();
    const one = await start('one', 'deployment', [HOLD, WAIT, RELEASE]);
    const before = await one.done(1);
    const { workflowService } = temporal.client;
    const workflowExecution = { workflowId: `one/${at.environment}` };
    const { history } = await workflowService.getWorkflowExecutionHistory({
      namespace: 'default',
      execution: workflowExecution,
    });
    const firstTask = history!.events!.find(
      ({ workflowTaskCompletedEventAttributes }) => workflowTaskCompletedEventAttributes,
    );
    await workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution,
      workflowTaskFinishEventId: firstTask!.eventId!,
      requestId: 'reset',
      reason: 'test',
    });
    const after = await until(state, ({ lastToken = 0 }) => lastToken > before.token!);
    expect(after.leases?.[0]).toMatchObject({ mode: 'hold', token: after.lastToken });
    expect(after.leases?.[0]).not.toHaveProperty('dirty');
    await temporal.client.workflow.getHandle(`one/${at.environment}`).signal('proceed');
    await shows([]);
  });
});

describe('a rollback', () => {
  test('gets the lease as soon as the holder stands down', async () => {
    const { start, shows } = environment();
    const deploy = await start('deploy', 'deployment', [HOLD, WAIT], { onStandDown: 'hand-over' });
    const { token } = await deploy.done(1);
    const rollback = await start('rollback', 'rollback', [PREEMPT, RELEASE]);
    const granted = await rollback.result();
    expect(granted.takenFrom).toMatchObject({ how: 'stood-down', holder: { requestedBy: 'ana' } });
    expect(granted.token).toBeGreaterThan(token!);
    expect(await deploy.result()).toMatchObject({ standDown: { by: { summary: 'rollback of shop' } } });
    await shows([]);
  });

  test('displaces a holder that does not answer, and takes what a terminated one left dirty', async () => {
    const hanging = environment();
    const dead = environment();
    const deployments = [
      await hanging.start('deploy', 'deployment', [HOLD, WAIT, RELEASE]),
      await dead.start('deploy', 'deployment', [HOLD, WAIT, RELEASE]),
    ] as const;
    await Promise.all(deployments.map((deployment) => deployment.done(1)));
    await deployments[1].handle.terminate('on purpose');
    await dead.shows(['deploy dirty']);
    const refused = await dead.start('next', 'deployment', [HOLD]);
    const refusal = await refused.result().catch((thrown: { cause: unknown }) => thrown.cause);
    expect(refusal).toMatchObject({
      type: 'LeaseUnavailable',
      message: expect.stringMatching(/was terminated.*windlass rollback/),
    });
    const rollbacks = [
      await hanging.start('rollback', 'rollback', [PREEMPT, WAIT, RELEASE]),
      await dead.start('rollback', 'rollback', [PREEMPT, WAIT, RELEASE]),
    ] as const;
    const [displacing, repairing] = await Promise.all(rollbacks.map((rollback) => rollback.done(1, 40_000)));
    expect(displacing!.takenFrom).toMatchObject({ how: 'displaced' });
    expect(repairing!.takenFrom).toMatchObject({ how: 'dirty' });
    expect(displacing!.token).toBeGreaterThan((await deployments[0].view()).token!);
    await deployments[0].proceed();
    await deployments[0].result();
    await hanging.shows(['rollback hold']);
    await Promise.all(rollbacks.map((rollback) => rollback.proceed()));
    await hanging.shows([]);
    await dead.shows([]);
  }, 90_000);

  test('ends the procedure that it displaced, once', async () => {
    const { start } = environment();
    const deploy = await start('deploy', 'deployment', [WAIT]);
    const holder = { workflowId: deploy.handle.workflowId, firstRunId: deploy.handle.firstExecutionRunId };
    const other = { ...holder, firstRunId: '00000000-0000-0000-0000-000000000000' };
    expect(await leases.terminateHolder({ holder: other, reason: 'another chain' })).toEqual({ terminated: false });
    expect(await leases.terminateHolder({ holder, reason: 'displaced' })).toEqual({ terminated: true });
    expect(await leases.terminateHolder({ holder, reason: 'displaced' })).toEqual({ terminated: false });
  });
});

describe('change control', () => {
  test('answers a repeated request with the first answer, and survives a restarted worker', async () => {
    const { at, start, shows } = environment();
    const { handle } = await start('one', 'deployment', [WAIT]);
    const ask = () =>
      leases.acquireLease({ at, request: request(handle.workflowId, handle.firstExecutionRunId, 'request-1') });
    const first = await ask();
    expect(first.status).toBe('granted');
    await temporal.restartWorker();
    expect(await ask()).toEqual(first);
    await handle.terminate();
    await shows(['one dirty']);
  });

  test('serves 1,000 grants, continues as new, and keeps queue, answers and watches', async () => {
    const { at, control, start, state, shows } = environment();
    const holder = await start('holder', 'deployment', [HOLD, WAIT, RELEASE]);
    await holder.done(1);
    const next = await start('next', 'deployment', [HOLD, WAIT]);
    await shows(['holder hold'], ['next']);
    const { workflowId, firstExecutionRunId } = next.handle;
    const begun = (await control.describe()).runId;
    const replies: AcquireReply[] = [];
    // Ten at a time: the server's limit of Updates in flight.
    for (let batch = 0; batch < 100; batch++) {
      const asked = Array.from({ length: 10 }, (_, n) =>
        leases.acquireLease({
          at,
          request: {
            ...request(workflowId, firstExecutionRunId, `r${batch}-${n}`),
            scope: `s${n}`,
            onBusy: 'refuse',
          },
        }),
      );
      replies.push(...(await Promise.all(asked)));
    }
    const tokens = replies.map((reply) => (reply.status === 'granted' ? reply.token : 0));
    expect(new Set(tokens).size).toBe(1000);
    expect((await control.describe()).runId).not.toBe(begun);
    await until(state, ({ queue = [] }) => queue.length === 1);
    const again = await leases.acquireLease({
      at,
      request: { ...request(workflowId, firstExecutionRunId, 'r99-9'), scope: 's9', onBusy: 'refuse' },
    });
    expect(again).toEqual(replies.at(-1));
    await holder.proceed();
    await next.done(1);
    await next.handle.terminate();
    await until(state, ({ leases = [] }) => leases.some(({ scope, dirty }) => scope === 'shop' && dirty));
  }, 120_000);

  test('answers 3,000 requests over several continue-as-news: no answer and no number is lost, every waiter is served in order, a freeze lasts', async () => {
    const { at, control, start, state } = environment();
    const holder = await start('holder', 'deployment', [HOLD, WAIT, RELEASE]);
    await holder.done(1);
    const waiters: Awaited<ReturnType<typeof start>>[] = [];
    for (let n = 0; n < 12; n++) {
      waiters.push(await start(`waiter${n}`, 'deployment', [HOLD, RELEASE]));
      await until(state, ({ queue = [] }) => queue.length === n + 1);
    }
    const freeze = { until: '2999-01-01T00:00:00Z', reason: 'a test', by: 'ana' };
    expect(await control.executeUpdate('startFreeze', { args: [freeze] })).toMatchObject({ accepted: true });
    const { sequence: before } = (await state()) as ChangeControlState;
    const { workflowId, firstExecutionRunId } = holder.handle;
    const replies: AcquireReply[] = [];
    for (let batch = 0; batch < 300; batch++) {
      // Every third is refused: the scope is somebody else's.
      const asked = Array.from({ length: 10 }, (_, n) =>
        leases.acquireLease({
          at,
          request: {
            ...request(n % 3 === 0 ? 'stranger' : workflowId, firstExecutionRunId, `many-${batch}-${n}`),
            scope: n % 3 === 0 ? 'shop' : `s${n}`,
            onBusy: 'refuse',
          },
        }),
      );
      replies.push(...(await Promise.all(asked)));
    }
    const numbers = replies
      .map((reply) => ('sequence' in reply ? reply.sequence : 0))
      .sort((one, other) => one - other);
    expect(numbers).toEqual(Array.from({ length: 3000 }, (_, n) => before + 1 + n));
    const runs = temporal.client.workflow.list({ query: `WorkflowId = "${control.workflowId}"` });
    let count = 0;
    for await (const { status } of runs) if (status.name === 'CONTINUED_AS_NEW') count++;
    expect(count).toBeGreaterThanOrEqual(3);
    expect((await state()).freezes).toMatchObject([{ name: 'by-hand', by: 'ana' }]);
    await holder.proceed();
    const served = await Promise.all(waiters.map((waiter) => waiter.result()));
    const tokens = served.map(({ token }) => token!);
    expect(tokens).toEqual([...tokens].sort((one, other) => one - other));
    expect(new Set(tokens).size).toBe(12);
    await until(state, ({ queue = ['?'] }) => queue.length === 0);
  }, 400_000);

  test('is left alive and as it was by messages that it does not understand, and by cancellation', async () => {
    const { at, control, start, state } = environment();
    await (await start('one', 'deployment', [HOLD, WAIT])).done(1);
    const before = await state();
    await expect(control.executeUpdate('acquire', { args: [{ scope: 7 }] })).rejects.toBeInstanceOf(
      WorkflowUpdateFailedError,
    );
    const malformed = { ...request('x', 'y', 'z'), priority: 'boss' } as unknown as AcquireRequest;
    const refused = await leases.acquireLease({ at, request: malformed }).catch((thrown: unknown) => thrown);
    expect(isFailure(refused, 'InvalidInput')).toBe(true);
    await control.signal('release', 'not even an object');
    await control.signal('release', null);
    await control.signal('repair', { scope: 'shop' });
    await control.cancel();
    const after = await until(state, ({ ignored }) => ignored === 3);
    expect({ ...after, ignored: 0 }).toEqual({ ...before, ignored: 0 });
    expect((await control.describe()).status.name).toBe('RUNNING');
  });

  test('refuses a repair of what is not dirty, with a reason', async () => {
    const { control, start } = environment();
    await (await start('one', 'deployment', [HOLD, WAIT])).done(1);
    const order = { scope: 'shop', by: 'ana', reason: 'looked at it' };
    expect(await control.executeUpdate('repair', { args: [order] })).toMatchObject({ accepted: false });
  });

  test.each([
    ['a text', 'change-control/sandbox/typed', 'production'],
    ['an unknown field', 'change-control/sandbox/typed', { system: 'sandbox', environment: 'typed', force: true }],
    ['nothing', 'change-control/sandbox/typed', undefined],
    [
      'a workflow id of another environment',
      'change-control/sandbox/other',
      { system: 'sandbox', environment: 'typed' },
    ],
  ])('started by hand with %s fails as InvalidInput', async (_what, workflowId, input) => {
    const run = await temporal.client.workflow.start('changeControl', {
      taskQueue: temporal.taskQueue,
      workflowId,
      args: [input],
    });
    const error = await run.result().catch((thrown: { cause: unknown }) => thrown.cause);
    expect(error).toMatchObject({ type: 'InvalidInput' });
  });

  test('is found by its search attributes, which say when something is dirty', async () => {
    const { at, start, shows } = environment();
    const one = await start('one', 'deployment', [HOLD, WAIT]);
    await one.done(1);
    const phase = `OpsSystem="sandbox" AND OpsEnvironment="${at.environment}" AND OpsProcedure="changeControl" AND OpsPhase=`;
    const count = async (name: string) => (await temporal.client.workflow.count(`${phase}"${name}"`)).count;
    await until(
      () => count('held'),
      (found) => found === 1,
    );
    await one.handle.terminate();
    await shows(['one dirty']);
    await until(
      () => count('dirty'),
      (found) => found === 1,
    );
  });
});
