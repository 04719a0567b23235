import { plain, type Paint } from '../io.ts';
import { whatToStart } from '../server/unserved.ts';
import type { PendingActivity, WhyView } from '../server/why.ts';
import { paintStatus, renderEnding } from './status.ts';
import { ago, field, until } from './text.ts';

/** `windlass why ID`: what it is at, what failed last, when it is tried again, who is awaited, what to type. */
export function renderWhy(view: WhyView, now: number, paint: Paint = plain): string {
  const { run, progress, task } = view;
  const escape = progress?.escape ?? run.escape;
  return [
    `${paint('bold', run.id)}  ${paintStatus(run.status, paint)}${run.phase ? `, ${run.phase}` : ''}`,
    ...(progress ? [field('at', progress.step)] : []),
    ...renderEnding(view.ending, paint),
    ...(run.awaiting.length > 0 && run.status === 'running' ? [field('waits for', run.awaiting.join(', '))] : []),
    ...(run.status === 'running' && !view.workerPolls
      ? [field('worker', paint('yellow', 'none asked for work within the last minute'))]
      : []),
    ...(view.unserved ?? []).map((queue) => field('worker', paint('yellow', whatToStart(queue)))),
    ...(task && (task.attempt > 1 || task.failure)
      ? [
          field('workflow', paint('red', `its task fails, attempt ${task.attempt}${task.since ? `, since ${ago(task.since, now)}` : ''}`)), // prettier-ignore
          ...(task.failure ? [field('', task.failure).replace(':', ' ')] : []),
        ]
      : []),
    ...view.activities.flatMap((activity) => renderActivity(activity, now, paint)),
    ...(view.activities.length === 0 && !task && run.status === 'running' ? [field('pending', 'no activity')] : []),
    '',
    `${view.advice.text}${view.advice.command ? `\n  ${paint('bold', view.advice.command)}` : ''}`,
    ...(escape ? ['back by hand:', `  ${escape}`] : []),
  ].join('\n');
}

const STATES: Record<PendingActivity['state'], string> = {
  scheduled: 'waits for a worker',
  running: 'runs',
  'waits-to-retry': 'waits to be tried again',
  'cancel-requested': 'is asked to stop',
  paused: 'is paused by an operator',
};

function renderActivity(activity: PendingActivity, now: number, paint: Paint): string[] {
  const { type, state, attempt, maximumAttempts, lastFailure, nextAttemptAt, lastHeartbeatAt, lastWorker } = activity;
  const of = maximumAttempts ? ` of ${maximumAttempts}` : '';
  return [
    field('activity', `${paint('bold', type)} ${STATES[state]}, attempt ${attempt}${of}`),
    ...(lastFailure ? [field('failed', paint('red', lastFailure))] : []),
    ...(nextAttemptAt ? [field('next try', until(nextAttemptAt, now))] : []),
    ...(lastHeartbeatAt ? [field('alive', `heartbeat ${ago(lastHeartbeatAt, now)}`)] : []),
    ...(lastWorker ? [field('worker', lastWorker)] : []),
  ];
}
