import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../errors.ts';
import { renderShow, type ShowView } from '../render/show.ts';
import { askGates } from '../server/messages.ts';
import { fetchStory } from '../server/read-history.ts';
import { describeRun } from '../server/runs.ts';

/** `show ID`: input, plan, decisions, timeline and end, from the history; no worker is needed. */
export function show({ out, withSession }: Context, id: string): Promise<ExitCode> {
  return withSession(async (session) => {
    const { run } = await describeRun(session, id);
    const open = run.status === 'running' || run.status === 'paused';
    const [story, gates] = await Promise.all([
      fetchStory(session, id, run.runId),
      open ? askGates(session, id, run.runId) : undefined,
    ]);
    const link = session.link(id, run.runId);
    const view: ShowView = {
      run,
      story,
      ...(gates?.answered ? { gates: gates.value } : {}),
      ...(link ? { link } : {}),
    };
    out.result(view, () => renderShow(view, Date.now(), out.paint));
    return EXIT.ok;
  });
}
