import { ActivityCancellationType, proxyActivities, type ActivityInterfaceFor } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import { queueOf, type TaskQueues } from '../../src/domain/capabilities.ts';
import {
  RETRY_PROFILES,
  stepProfile,
  watchProfile,
  worstCaseMs,
  type RetryProfile,
} from '../../src/domain/retry-profiles.ts';

/** Of this execution: the SDK gives each one modules of its own. */
let queues: TaskQueues = {};

/**
 * From here on, activities go to the task queues that the catalog names for their capabilities. What the catalog said is in
 * the history, so a replay sends each where it went.
 * @returns the slice
 */
export function routed<Slice extends { taskQueues?: TaskQueues }>(slice: Slice): Slice {
  queues = slice.taskQueues ?? {};
  return slice;
}

/**
 * Activities under a retry profile, with a summary for the timeline of the Temporal UI:
 * `await quick('Switch traffic to green').switchTraffic({ … })`.
 *
 * Cancellation waits until a change under way has ended: undoing a switch while its request still travels would lose
 * the race. Only watchers are let go at once.
 */
const profile =
  (options: RetryProfile, cancellationType: ActivityCancellationType) =>
  (summary: string): ActivityInterfaceFor<Activities> => {
    const proxied = (withinMs?: number, taskQueue?: string): ActivityInterfaceFor<Activities> =>
      proxyActivities<Activities>({
        summary: summary.slice(0, 200),
        ...(taskQueue ? { taskQueue } : {}),
        startToCloseTimeout: options.startToCloseMs,
        ...(withinMs ? { scheduleToCloseTimeout: withinMs } : {}),
        ...(options.heartbeatMs ? { heartbeatTimeout: options.heartbeatMs } : {}),
        cancellationType,
        retry: {
          initialInterval: options.initialIntervalMs,
          maximumInterval: options.maximumIntervalMs,
          backoffCoefficient: 2,
          ...(options.attempts ? { maximumAttempts: options.attempts } : {}),
        },
      });
    // What is given up after some attempts is given up as well where nobody makes the first one: the workflow runs, and
    // would wait for ever for workers of another queue.
    const worstCase = worstCaseMs(options);
    const elsewhereWithin = worstCase === Infinity ? undefined : worstCase;
    return new Proxy(proxied(options.withinMs), {
      get(here, name) {
        const queue = typeof name === 'string' ? queueOf(name, queues) : undefined;
        return Reflect.get(queue === undefined ? here : proxied(elsewhereWithin, queue), name) as unknown;
      },
    });
  };

const { WAIT_CANCELLATION_COMPLETED, TRY_CANCEL } = ActivityCancellationType;
export const traffic = profile(RETRY_PROFILES.traffic, WAIT_CANCELLATION_COMPLETED);
export const quick = profile(RETRY_PROFILES.quick, WAIT_CANCELLATION_COMPLETED);
export const poll = profile(RETRY_PROFILES.poll, TRY_CANCEL);
export const stream = profile(RETRY_PROFILES.stream, WAIT_CANCELLATION_COMPLETED);
export const cleanup = profile(RETRY_PROFILES.cleanup, WAIT_CANCELLATION_COMPLETED);
/** A call of an action, which may be let go when it changes nothing. */
export const step = (summary: string, { timeoutMs, changes }: { timeoutMs?: number; changes: boolean }) =>
  profile(stepProfile(timeoutMs), changes ? WAIT_CANCELLATION_COMPLETED : TRY_CANCEL)(summary);
export const watch = (summary: string, withinMs: number) => profile(watchProfile(withinMs), TRY_CANCEL)(summary);
export const notice = profile(RETRY_PROFILES.notice, TRY_CANCEL);
