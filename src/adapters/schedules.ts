import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client, type ScheduleOptions } from '@temporalio/client';
import { failure } from './failure.ts';
import { textOf } from './temporal.ts';

export interface WantedInterval {
  scheduleId: string;
  everyMs: number;
  workflowType: string;
  workflowId: string;
  taskQueue: string;
  /** The single input of the workflow. */
  input: unknown;
  summary: string;
}

/** After an outage it starts once, not once for each time that was missed. */
const CATCH_UP_MS = 10_000;

/**
 * Makes a Schedule that starts a workflow again and again, never two at once; one that is there with another interval is
 * corrected. Whether it is paused is left to people. Doing it twice is doing it once.
 * @throws Unavailable
 */
export async function ensureSchedule(client: Client, wanted: WantedInterval): Promise<void> {
  const { scheduleId, everyMs, workflowType, workflowId, taskQueue, input, summary } = wanted;
  const options: ScheduleOptions = {
    scheduleId,
    spec: { intervals: [{ every: everyMs }] },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP_MS },
    action: { type: 'startWorkflow', workflowType, workflowId, taskQueue, args: [input], staticSummary: summary },
  };
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw failure('Unavailable', textOf(error));
    const handle = client.schedule.getHandle(scheduleId);
    const { spec } = await handle.describe();
    if (Number(spec.intervals?.[0]?.every) === everyMs) return;
    await handle.update(({ state }) => ({ ...options, state }));
  }
}
