import type { Context } from '../context.ts';
import { CliError, EXIT, type ExitCode } from '../errors.ts';
import { decoder } from '../server/read-history.ts';
import { describeOpenRun, describeRun } from '../server/runs.ts';
import type { Session } from '../server/session.ts';
import { pendingActivities, type PendingActivity } from '../server/why.ts';

/** `retry-now ID`: activities that wait for their next attempt, or that an operator paused, are tried at once. */
export function retryNow({ out, withSession }: Context, id: string): Promise<ExitCode> {
  return withSession(async (session) => {
    const { runId } = await describeOpenRun(session, id);
    const { description } = await describeRun(session, id);
    const pending = await pendingActivities(description.raw, Date.now(), decoder(session));
    const stuck = pending.filter(({ state }) => state === 'waits-to-retry' || state === 'paused');
    if (stuck.length === 0)
      throw new CliError(
        'refused',
        `Nothing of ${id} waits to be tried again${pending.length > 0 ? `; ${pending.map(({ type, state }) => `${type} is ${state}`).join(', ')}` : ''}.`,
        `What keeps it: windlass why ${id}`,
      );
    for (const activity of stuck) await tryNow(session, { workflowId: id, runId }, activity);
    const retried = stuck.map(({ type, attempt, lastFailure }) => ({
      type,
      attempt,
      ...(lastFailure ? { lastFailure } : {}),
    }));
    out.result({ id, retried }, () =>
      [
        ...retried.map(
          ({ type, attempt, lastFailure }) =>
            `${type}: tried now, after ${attempt - 1} failed attempts${lastFailure ? ` (last: ${lastFailure})` : ''}`,
        ),
        `See what comes of it: windlass why ${id}`,
      ].join('\n'),
    );
    return EXIT.ok;
  });
}

/**
 * A reset schedules the next attempt at once and counts attempts from one again; the activity's own idempotency makes
 * another attempt safe. An activity that runs is not touched: its attempt may be changing something.
 */
async function tryNow(
  { connection, namespace, bounded }: Session,
  execution: { workflowId: string; runId: string },
  { id, state }: PendingActivity,
): Promise<void> {
  const request = { namespace, execution, id, identity: `windlass@${process.pid}` };
  await bounded(async () => {
    if (state === 'paused') await connection.workflowService.unpauseActivity({ ...request, resetAttempts: true });
    else await connection.workflowService.resetActivity(request);
  });
}
