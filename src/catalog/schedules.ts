import { createHash } from 'node:crypto';
import { catchUpOf, firingOf, type Weekday } from '../calendar/schedule.ts';
import { maintenanceWindow } from '../contracts/maintenance-window.ts';
import { formatDuration } from '../domain/duration.ts';
import type { Catalog } from './catalog.ts';

/** A Schedule as the catalog wants it. */
export interface WantedSchedule {
  id: string;
  procedure: string;
  input: { system: string; environment: string; window: string; requestedBy: string };
  zone: string;
  calendar: { hour: number; dayOfWeek: Weekday; dayOfMonth: { start: number; end: number } };
  catchUpMs: number;
  summary: string;
  /** Of all of the above: two with the same one are the same. */
  digest: string;
}

/** Beginning of the ids of all Schedules that are ours. */
export const SCHEDULE_PREFIX = 'window/';

/** Schedules of every window in each of its environments. @param at changes of the clocks in the years around it count */
export function wantedSchedules(catalog: Catalog, at: number): WantedSchedule[] {
  return [...catalog.systems].flatMap(([system, { catalog: loaded }]) =>
    Object.entries(loaded.windows).flatMap(([window, spec]) =>
      spec.environments.map((environment): WantedSchedule => {
        const { zone, dayOfWeek, dayOfMonth } = firingOf(spec, at);
        const input = { system, environment, window, requestedBy: 'schedule' };
        const [start, end] = dayOfMonth;
        const wanted = {
          id: maintenanceWindow.workflowId(maintenanceWindow.input.parse(input)),
          procedure: maintenanceWindow.procedure,
          input,
          zone,
          calendar: { hour: 0, dayOfWeek, dayOfMonth: { start, end } },
          catchUpMs: catchUpOf(spec),
          summary: `window ${window} of ${system} ${environment}: ${whenText(spec)}`,
        };
        return { ...wanted, digest: createHash('sha256').update(JSON.stringify(wanted)).digest('hex') };
      }),
    ),
  );
}

function whenText({
  opens,
  zone,
  duration,
}: {
  opens: { weekday: string; week?: number | undefined; at: string };
  zone: string;
  duration: number;
}): string {
  const which =
    opens.week === undefined ? `every ${opens.weekday}` : `${opens.weekday} number ${opens.week} of the month`;
  return `${which} ${opens.at} ${zone}, ${formatDuration(duration)}`;
}
