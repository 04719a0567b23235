import type { WorkflowExecutionDescription } from '@temporalio/client';
import { capabilityOf } from '../../domain/capabilities.ts';
import { printable } from '../../domain/printable.ts';
import type { Session } from './session.ts';

/** A task queue that an activity waits on and no worker polls. */
export interface UnservedQueue {
  taskQueue: string;
  /** Types of the activities that wait there. */
  activities: string[];
  /** The same capabilities as `WINDLASS_CAPABILITIES` has them. */
  capabilities: string;
}

type Raw = WorkflowExecutionDescription['raw'];

/** temporal.api.enums.v1.TaskQueueType */
export const QUEUE_OF = { workflows: 1, activities: 2 } as const;

/** A long poll lasts a minute. */
const POLLED_WITHIN_MS = 61_000;

/** True when a worker asked the task queue for work within the last minute. */
export async function isPolled(
  session: Session,
  taskQueue: string,
  taskQueueType: (typeof QUEUE_OF)[keyof typeof QUEUE_OF],
): Promise<boolean> {
  const { pollers } = await session.bounded(() =>
    session.connection.workflowService.describeTaskQueue({
      namespace: session.namespace,
      taskQueue: { name: taskQueue },
      taskQueueType,
    }),
  );
  const recent = Date.now() - POLLED_WITHIN_MS;
  return (pollers ?? []).some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000 > recent);
}

/** Of an activity that has not ended, by temporal.api.enums.v1.PendingActivityState. */
export function stateOf({
  paused,
  state,
}: NonNullable<Raw['pendingActivities']>[number]): 'paused' | 'cancel-requested' | 'scheduled' | 'running' {
  const code = Number(state ?? 0);
  if (paused === true || code === 4) return 'paused';
  if (code === 3) return 'cancel-requested';
  return code === 1 ? 'scheduled' : 'running';
}

/**
 * Queues of capabilities where activities of a procedure wait for a worker that is not there. The procedure's own queue
 * is left out: whether that has a worker is asked first, and by everybody.
 */
export async function unservedQueues(session: Session, raw: Raw): Promise<UnservedQueue[]> {
  const waiting = waitingElsewhere(raw);
  const polled = await Promise.all(
    waiting.map(({ taskQueue }) => isPolled(session, taskQueue, QUEUE_OF.activities)), // prettier-ignore
  );
  return printable(waiting.filter((_, index) => !polled[index]));
}

/** By queue, what waits for a worker on another one than the procedure's. */
export function waitingElsewhere(raw: Raw): UnservedQueue[] {
  const own = raw.executionConfig?.taskQueue?.name;
  const byQueue = new Map<string, Set<string>>();
  for (const activity of raw.pendingActivities ?? []) {
    const queue = activity.activityOptions?.taskQueue?.name;
    if (stateOf(activity) !== 'scheduled' || !queue || queue === own) continue;
    byQueue.set(queue, (byQueue.get(queue) ?? new Set()).add(activity.activityType?.name ?? ''));
  }
  return [...byQueue].map(([taskQueue, types]) => ({
    taskQueue,
    activities: [...types].sort(),
    capabilities: [...new Set([...types].flatMap((type) => capabilityOf(type) ?? []))].sort().join(),
  }));
}

/** What is missing and what starts it, in a sentence each. */
export const whatToStart = ({ taskQueue, activities, capabilities }: UnservedQueue): string =>
  `No worker polls task queue ${taskQueue}, where ${activities.join(', ')} ${activities.length > 1 ? 'wait' : 'waits'}. ` +
  `Start one: WINDLASS_TASK_QUEUE=${taskQueue} WINDLASS_CAPABILITIES=${capabilities}`;
