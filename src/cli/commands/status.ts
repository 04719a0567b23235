import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../errors.ts';
import { overviewOf, renderList, renderOverview } from '../render/list.ts';
import { renderStatus } from '../render/status.ts';
import { rolesOf } from '../roles.ts';
import { readStatus } from '../server/read-status.ts';
import { listRuns } from '../server/runs.ts';
import { readZones, type Zones } from '../server/zones.ts';
import { follow } from './follow.ts';

/** `status`: what runs and what waits for me; `status ID`: one procedure. */
export function status(context: Context, id: string | undefined, flags: { follow?: boolean }): Promise<ExitCode> {
  return context.withSession(async (session) => {
    if (id === undefined) {
      const [runs, zones] = await Promise.all([
        listRuns(session, { state: 'running', limit: 200 }),
        readZones(session, {}, Date.now()),
      ]);
      return overview(context, runs, zones);
    }
    if (flags.follow) return follow(context, session, id);
    const view = await readStatus(session, id);
    context.out.result(view, () => renderStatus(view, Date.now(), context.out.paint));
    return EXIT.ok;
  });
}

async function overview(
  { out, io, me }: Context,
  running: Awaited<ReturnType<typeof listRuns>>,
  { zones }: Zones,
): Promise<ExitCode> {
  const awaited = running.filter(({ awaiting }) => awaiting.length > 0);
  const roles = await rolesOf(
    me,
    awaited.flatMap(({ system }) => system ?? []),
    io.env,
  );
  const notGreen = zones.filter(({ zone, stale }) => zone !== 'green' || stale);
  const view = { ...overviewOf(me, roles, running), zones: notGreen };
  out.result(view, () => renderOverview(view, Date.now(), out.paint));
  return EXIT.ok;
}

export interface ListFlags {
  all?: boolean;
  system?: string;
  environment?: string;
  procedure?: string;
  limit: number;
}

/** `list`: procedures, the running ones or all that the server still keeps. */
export function list({ out, withSession }: Context, flags: ListFlags): Promise<ExitCode> {
  return withSession(async (session) => {
    const { all, limit, ...where } = flags;
    const runs = await listRuns(session, { ...where, limit, state: all ? 'all' : 'running' });
    out.result({ runs }, () => renderList(runs, Date.now(), out.paint));
    return EXIT.ok;
  });
}
