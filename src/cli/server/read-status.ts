import type { StatusView } from '../render/status.ts';
import { askGates, askProgress } from './messages.ts';
import { fetchEnding } from './read-history.ts';
import { describeRun } from './runs.ts';
import type { Session } from './session.ts';
import { unservedQueues } from './unserved.ts';

/**
 * The state of one procedure. The server's records come first; a worker's answer only adds to them.
 * @throws CliError `not-found`
 */
export async function readStatus(session: Session, id: string): Promise<StatusView> {
  const { run, description } = await describeRun(session, id);
  const link = session.link(id, run.runId);
  const linked = link ? { link } : {};
  if (run.status !== 'running' && run.status !== 'paused') {
    const ending = await fetchEnding(session, id, run.runId);
    return { run, worker: 'answered', ...(ending ? { ending } : {}), ...linked };
  }
  const [progress, gates, unserved] = await Promise.all([
    askProgress(session, id, run.runId),
    askGates(session, id, run.runId),
    unservedQueues(session, description.raw),
  ]);
  return {
    run,
    worker: progress.answered ? 'answered' : progress.why,
    ...(progress.answered ? { progress: progress.value } : {}),
    ...(gates.answered ? { gates: gates.value } : {}),
    ...(unserved.length > 0 ? { unserved } : {}),
    ...linked,
  };
}
