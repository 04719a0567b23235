import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../errors.ts';
import { renderEnding, type Ending } from '../render/status.ts';
import { workerPolls } from '../server/messages.ts';
import { awaitEnding } from '../server/read-history.ts';
import type { Session } from '../server/session.ts';
import { startProcedure, type Started, type StartRequest } from '../server/start.ts';
import { follow } from './follow.ts';
import { deployRequest, rollbackRequest, type DeployFlags, type RollbackFlags } from './release-requests.ts';

/** How long a started procedure is watched. */
export interface WaitFlags {
  wait?: boolean;
  follow?: boolean;
}

export const deploy = (
  context: Context,
  places: (string | undefined)[],
  flags: DeployFlags & WaitFlags,
): Promise<ExitCode> => startAndWait(context, deployRequest(places, flags, context.me, false), flags);

export const rollback = (
  context: Context,
  places: (string | undefined)[],
  flags: RollbackFlags & WaitFlags,
): Promise<ExitCode> => startAndWait(context, rollbackRequest(places, flags, context.me, false), flags);

/** Starts a procedure, says what to type next, and waits when asked to. */
export function startAndWait(context: Context, request: StartRequest, flags: WaitFlags): Promise<ExitCode> {
  return context.withSession(async (session) => {
    const started = await startProcedure(session, request);
    if (!(await workerPolls(session)))
      context.out.note(`No worker serves task queue ${session.taskQueue} now: it begins as soon as one runs.`);
    if (!flags.wait && !flags.follow) return announce(context, session, started, request.summary);
    if (flags.follow) {
      if (!context.out.json) context.out.note(`Started ${started.id}`);
      return follow(context, session, started.id);
    }
    context.out.note(`Started ${started.id}; waiting for its end. It goes on when this command is interrupted.`);
    const ending = await awaitEnding(session, started.id, started.runId, { onTrouble: context.out.note });
    return conclude(context, started, ending!);
  });
}

function announce({ out }: Context, session: Session, started: Started, summary: string): ExitCode {
  const { id, runId } = started;
  const link = session.link(id, runId);
  const commands = {
    follow: `windlass status ${id} --follow`,
    approve: `windlass approve ${id}`,
    abort: `windlass abort ${id} --reason …`,
  };
  out.result({ ...started, ...(link ? { link } : {}), commands }, () =>
    [
      `Started: ${summary}`,
      `  id       ${out.paint('bold', id)}`,
      `  watch    ${commands.follow}`,
      `  approve  ${commands.approve}`,
      `  stop     ${commands.abort}`,
      ...(link ? [`  look     ${link}`] : []),
    ].join('\n'),
  );
  return EXIT.ok;
}

/** The end of a procedure as the end of the command. */
export function conclude(
  { out }: Context,
  started: Pick<Started, 'id' | 'runId' | 'procedure'>,
  ending: Ending,
): ExitCode {
  out.result({ ...started, ending }, () =>
    [
      `${started.id} ${ending.ok ? out.paint('green', 'completed') : out.paint('red', 'ended without success')}`,
      ...renderEnding(ending, out.paint),
    ].join('\n'),
  );
  return ending.ok ? EXIT.ok : EXIT.failed;
}
