import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { GateView } from '../../contracts/gates.ts';
import type { ProgressView } from '../../contracts/progress.ts';
import type { Ending } from '../render/status.ts';
import { capabilityOf } from '../../domain/capabilities.ts';
import { printable } from '../../domain/printable.ts';
import { failureText, timeOf, type Decode, type FailureLike } from './history.ts';
import { compact, type RunView } from './runs.ts';
import { stateOf, whatToStart, type UnservedQueue } from './unserved.ts';

/** An activity that has not ended, as the server sees it. Times are ISO 8601. */
export interface PendingActivity {
  id: string;
  type: string;
  state: 'scheduled' | 'running' | 'waits-to-retry' | 'cancel-requested' | 'paused';
  attempt: number;
  /** Absent when attempts are not bounded. */
  maximumAttempts?: number;
  lastFailure?: string;
  nextAttemptAt?: string;
  lastHeartbeatAt?: string;
  lastWorker?: string;
}

/** A workflow task that waits or fails: the workflow's own code, not an activity. */
export interface PendingTask {
  state: 'scheduled' | 'started';
  attempt: number;
  since?: string;
  /** Why the last one failed, from the history. */
  failure?: string;
}

export interface WhyView {
  run: RunView;
  /** True when a worker asked the task queue for work within the last minute. */
  workerPolls: boolean;
  /** Where its activities wait for a worker that is not there; absent when nowhere. */
  unserved?: UnservedQueue[];
  activities: PendingActivity[];
  task?: PendingTask;
  progress?: ProgressView;
  gates?: GateView[];
  ending?: Ending;
  advice: Advice;
}

/** The safe next command, and why it. */
export interface Advice {
  text: string;
  command?: string;
}

type Raw = WorkflowExecutionDescription['raw'];

/** Pending activities of a raw description; those that are only waiting for their next attempt are told apart. */
export function pendingActivities(raw: Raw, now: number, decode: Decode): Promise<PendingActivity[]> {
  const pending = (raw.pendingActivities ?? []).map(async (activity) => {
    const attempt = activity.attempt ?? 1;
    const next = timeOf(activity.nextAttemptScheduleTime) ?? timeOf(activity.scheduledTime);
    const waits = Number(activity.state) === 1 && attempt > 1 && next !== undefined && Date.parse(next) > now;
    return printable(
      compact({
        id: activity.activityId ?? '',
        type: activity.activityType?.name ?? '',
        state: waits ? ('waits-to-retry' as const) : stateOf(activity),
        attempt,
        maximumAttempts: activity.maximumAttempts || undefined,
        lastFailure: activity.lastFailure ? await failureText(activity.lastFailure as FailureLike, decode) : undefined,
        nextAttemptAt: waits ? next : undefined,
        lastHeartbeatAt: timeOf(activity.lastHeartbeatTime),
        lastWorker: activity.lastWorkerIdentity || undefined,
      }),
    );
  });
  return Promise.all(pending);
}

/** As the SDK words it when a worker took what it has not registered: a task queue of workers with other capabilities. */
const isNotCarriedOut = ({ type, lastFailure = '' }: PendingActivity): boolean =>
  capabilityOf(type) !== undefined && /is not registered on this Worker/.test(lastFailure);

export function pendingTask(raw: Raw, failure: string | undefined): PendingTask | undefined {
  const task = raw.pendingWorkflowTask;
  if (!task) return undefined;
  return compact({
    state: Number(task.state) === 2 ? ('started' as const) : ('scheduled' as const),
    attempt: task.attempt ?? 1,
    since: timeOf(task.originalScheduledTime) ?? timeOf(task.scheduledTime),
    failure,
  });
}

/** Decides what an operator should type next. The order matters: what blocks everything else comes first. */
export function advise(view: Omit<WhyView, 'advice'>): Advice {
  const { run, task, progress, activities } = view;
  if (run.status !== 'running' && run.status !== 'paused')
    return view.ending?.ok
      ? { text: 'It ended well; nothing is to be done.', command: `windlass show ${run.id}` }
      : {
          text: 'It ended without success. See what happened before starting again.',
          command: `windlass show ${run.id}`,
        };
  if (!view.workerPolls)
    return {
      text: 'No worker runs. Start one: the procedure goes on by itself where it stopped. Until then nothing changes.',
    };
  if (task && (task.attempt > 1 || task.failure))
    return {
      text: `The worker cannot carry out the workflow's code${task.failure ? ` (${task.failure})` : ''}. Look at the worker's log and deploy one that can; it goes on by itself.`,
    };
  // Nobody being told is no reason to keep a procedure: it goes on, and its record says so.
  const unserved = view.unserved?.filter(({ capabilities }) => capabilities !== 'notify') ?? [];
  if (unserved.length > 0)
    return { text: `${unserved.map(whatToStart).join('\n')}\nThe procedure goes on by itself where it stopped.` };
  if (progress?.phase === 'rescue')
    return { text: 'A step is stuck and a person must decide.', command: `windlass rescue ${run.id} retry --reason …` };
  const waiting = view.gates?.find(({ outcome }) => outcome === 'waiting');
  if (waiting)
    return {
      text: `It waits for people: ${waiting.roles.join(' or ')} must decide gate ${waiting.name}.${
        waiting.breakGlass
          ? ` In an emergency ${waiting.breakGlass.roles.join(' or ')} may pass it alone: --break-glass --reason "…".`
          : ''
      }`,
      command: `windlass approve ${run.id} ${waiting.name}`,
    };
  if (progress?.held) return { text: `${progress.held.by} holds it.`, command: `windlass resume ${run.id}` };
  if (activities.some(({ state }) => state === 'paused'))
    return { text: 'An activity was paused by an operator.', command: `windlass retry-now ${run.id}` };
  const astray = activities.find(isNotCarriedOut);
  if (astray)
    return {
      text: `The worker that took ${astray.type} does not carry out ${capabilityOf(astray.type)}. Name the task queue of those that do in the catalog (environments.<environment>.taskQueues.${capabilityOf(astray.type)}) for later procedures, or give this one's workers the capability: it then goes on by itself.`,
    };
  const retrying = activities.find(({ state }) => state === 'waits-to-retry');
  if (retrying)
    return {
      text: `${retrying.type} fails and will be tried again. Remove the cause; to try at once:`,
      command: `windlass retry-now ${run.id}`,
    };
  if (run.awaiting.length > 0)
    return { text: `It waits for ${run.awaiting.join(', ')}.`, command: `windlass approve ${run.id}` };
  return { text: 'Nothing is wrong: it is at work.', command: `windlass status ${run.id} --follow` };
}
