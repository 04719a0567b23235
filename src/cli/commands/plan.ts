import type { Context } from '../context.ts';
import { CliError, EXIT, type ExitCode } from '../errors.ts';
import { isReleasePlan, renderPlan } from '../render/plan.ts';
import { isRollbackPlan, renderRollbackPlan } from '../render/rollback-plan.ts';
import type { Ending } from '../render/status.ts';
import { workerPolls } from '../server/messages.ts';
import { awaitEnding, fetchStory } from '../server/read-history.ts';
import { describeRun } from '../server/runs.ts';
import type { Session } from '../server/session.ts';
import { unservedQueues, whatToStart } from '../server/unserved.ts';
import { discardPlan, startProcedure, type Started, type StartRequest } from '../server/start.ts';
import { deployRequest, rollbackRequest, type DeployFlags, type RollbackFlags } from './release-requests.ts';

/** Seconds a plan may take before the command gives up. */
export interface PlanFlags {
  timeout: number;
}

export const planDeploy = (
  context: Context,
  places: (string | undefined)[],
  flags: DeployFlags & PlanFlags,
): Promise<ExitCode> => plan(context, deployRequest(places, flags, context.me, true), flags.timeout);

export const planRollback = (
  context: Context,
  places: (string | undefined)[],
  flags: RollbackFlags & PlanFlags,
): Promise<ExitCode> => plan(context, rollbackRequest(places, flags, context.me, true), flags.timeout);

/** Lets a worker draft the plan, prints it, and fails when it refuses. Nothing is touched. */
export function plan(context: Context, request: StartRequest, timeoutSeconds: number): Promise<ExitCode> {
  const { out } = context;
  return context.withSession(async (session) => {
    const started = await startProcedure(session, request);
    const deadline = Date.now() + timeoutSeconds * 1000;
    const ending = await awaitEnding(session, started.id, started.runId, { deadline, onTrouble: out.note });
    if (!ending) throw await givingUp(session, started, timeoutSeconds);
    const drafted = await planOf(session, started, ending);
    if (isReleasePlan(drafted)) {
      out.result({ outcome: drafted.refusals.length > 0 ? 'refused' : 'planned', plan: drafted }, () =>
        renderPlan(drafted, out.paint),
      );
      return drafted.refusals.length > 0 ? EXIT.failed : EXIT.ok;
    }
    if (isRollbackPlan(drafted)) {
      out.result({ outcome: drafted.kind === 'refused' ? 'refused' : 'planned', plan: drafted }, () =>
        renderRollbackPlan(drafted, out.paint),
      );
      return drafted.kind === 'refused' ? EXIT.failed : EXIT.ok;
    }
    if (!ending.ok)
      throw new CliError(
        ending.type === 'Refused' ? 'refused' : 'failed',
        `No plan: ${ending.type}: ${ending.message}`,
      );
    throw new CliError(
      'failed',
      `${request.procedure} ended without a plan.`,
      `What happened: windlass show ${started.id}`,
    );
  });
}

/** The plan of the result; of a procedure that failed after drafting one, that of its history. */
async function planOf(session: Session, { id, runId }: Started, ending: Ending): Promise<unknown> {
  if (ending.ok) return (ending.result as { plan?: unknown } | undefined)?.plan;
  return ending.type === 'Refused' ? (await fetchStory(session, id, runId)).plan : undefined;
}

async function givingUp(session: Session, started: Started, seconds: number): Promise<CliError> {
  const polls = await workerPolls(session);
  const unserved = await describeRun(session, started.id).then(({ description }) =>
    unservedQueues(session, description.raw),
  );
  await discardPlan(session, started, 'the plan was not ready in time');
  if (polls && unserved.length > 0)
    return new CliError('no-worker', 'Nobody can make the plan.', unserved.map(whatToStart).join('\n'));
  return polls
    ? new CliError('timeout', `The plan was not ready within ${seconds} s.`, `What kept it: windlass why ${started.id}`)
    : new CliError(
        'no-worker',
        `No worker serves task queue ${session.taskQueue}: nobody can make the plan.`,
        'Start a worker, or name another queue with --task-queue.',
      );
}
