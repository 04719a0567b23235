import { loadCatalog } from '../../catalog/load.ts';
import { wantedSchedules } from '../../catalog/schedules.ts';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../errors.ts';
import { applySchedules, compareSchedules, type ScheduleStep } from '../server/schedules.ts';

/** Which catalog the Schedules are of. */
export interface ScheduleFlags {
  catalog: string;
  overlay: string[];
}

/** `schedules plan`: what `apply` would do. */
export const planSchedules = (context: Context, flags: ScheduleFlags): Promise<ExitCode> =>
  compare(context, flags, false);

/** `schedules apply`: makes the server's Schedules those of the catalog. Doing it twice is doing it once. */
export const apply = (context: Context, flags: ScheduleFlags): Promise<ExitCode> => compare(context, flags, true);

async function compare({ out, withSession }: Context, flags: ScheduleFlags, change: boolean): Promise<ExitCode> {
  const catalog = await loadCatalog({ directory: flags.catalog, overlays: flags.overlay });
  const wanted = wantedSchedules(catalog, Date.now());
  return withSession(async (session) => {
    const { client, taskQueue } = session;
    const steps = await compareSchedules(client, wanted, [...catalog.systems.keys()]);
    if (change) await applySchedules(client, taskQueue, wanted, steps);
    out.result({ applied: change, schedules: steps }, () => render(steps));
    return EXIT.ok;
  });
}

const render = (steps: ScheduleStep[]): string =>
  steps.length === 0
    ? 'The catalog has no windows and no error budgets, and the server no Schedules of them.'
    : steps.map(({ verb, id, summary }) => `${verb.padEnd(7)} ${id}  ${summary}`).join('\n');
