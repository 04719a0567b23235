import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../errors.ts';
import { renderWhy } from '../render/why.ts';
import { failureText } from '../server/history.ts';
import { askGates, askProgress, workerPolls } from '../server/messages.ts';
import { decoder, fetchEnding } from '../server/read-history.ts';
import { describeRun } from '../server/runs.ts';
import type { Session } from '../server/session.ts';
import { unservedQueues } from '../server/unserved.ts';
import { advise, pendingActivities, pendingTask, type WhyView } from '../server/why.ts';
import { printable } from '../../domain/printable.ts';

/** `why ID`: what keeps a procedure, from the server's records; a worker's answer only adds to them. */
export function why({ out, withSession }: Context, id: string): Promise<ExitCode> {
  return withSession(async (session) => {
    const view = await readWhy(session, id);
    out.result(view, () => renderWhy(view, Date.now(), out.paint));
    return EXIT.ok;
  });
}

async function readWhy(session: Session, id: string): Promise<WhyView> {
  const { run, description } = await describeRun(session, id);
  const { runId } = run;
  const open = run.status === 'running' || run.status === 'paused';
  const [polls, unserved, progress, gates, failure, ending] = await Promise.all([
    workerPolls(session),
    open ? unservedQueues(session, description.raw) : [],
    open ? askProgress(session, id, runId) : undefined,
    open ? askGates(session, id, runId) : undefined,
    open ? lastTaskFailure(session, id, runId) : undefined,
    open ? undefined : fetchEnding(session, id, runId),
  ]);
  const task = pendingTask(description.raw, failure);
  const view = {
    run,
    workerPolls: polls,
    ...(unserved.length > 0 ? { unserved } : {}),
    activities: await pendingActivities(description.raw, Date.now(), decoder(session)),
    ...(task ? { task } : {}),
    ...(progress?.answered ? { progress: progress.value } : {}),
    ...(gates?.answered ? { gates: gates.value } : {}),
    ...(ending ? { ending } : {}),
  };
  return { ...view, advice: advise(view) };
}

/** Why the last workflow task failed; undefined when one completed since. The server keeps the first failure of a row. */
async function lastTaskFailure(session: Session, id: string, runId: string): Promise<string | undefined> {
  const { history } = await session.bounded(() =>
    session.connection.workflowService.getWorkflowExecutionHistoryReverse({
      namespace: session.namespace,
      execution: { workflowId: id, runId },
      maximumPageSize: 20,
    }),
  );
  for (const event of history?.events ?? []) {
    if (event.workflowTaskCompletedEventAttributes) return undefined;
    if (event.workflowTaskFailedEventAttributes)
      return printable(await failureText(event.workflowTaskFailedEventAttributes.failure, decoder(session)));
    if (event.workflowTaskTimedOutEventAttributes) return 'the worker did not finish it in time';
  }
  return undefined;
}
