import { createHash } from 'node:crypto';
import { catchUpOf, firingOf, type Weekday } from '../calendar/schedule.ts';
import { maintenanceWindow } from '../contracts/maintenance-window.ts';
import { watchErrorBudget } from '../contracts/watch-error-budget.ts';
import { formatDuration } from '../domain/duration.ts';
import type { Catalog } from './catalog.ts';

/** A Schedule as the catalog wants it. */
export interface WantedSchedule {
  id: string;
  procedure: string;
  input: { system: string; environment: string; window?: string; requestedBy: string };
  when:
    | { zone: string; calendar: { hour: number; dayOfWeek: Weekday; dayOfMonth: { start: number; end: number } } }
    | { everyMs: number };
  catchUpMs: number;
  summary: string;
  /** Of all of the above: two with the same one are the same. */
  digest: string;
}

/** Beginnings of the ids of all Schedules that are ours. */
export const SCHEDULE_PREFIXES = ['window/', 'error-budget/'];

/** All Schedules of the catalog. @param at changes of the clocks in the years around it count */
export const wantedSchedules = (catalog: Catalog, at: number): WantedSchedule[] => [
  ...windowSchedules(catalog, at),
  ...budgetSchedules(catalog),
];

/** Of every error budget. */
const budgetSchedules = ({ systems }: Catalog): WantedSchedule[] =>
  [...systems].flatMap(([system, { catalog: loaded }]) =>
    Object.entries(loaded.errorBudgets).map(([environment, { every, slos }]) => {
      const input = { system, environment, requestedBy: 'schedule' };
      return withDigest({
        id: watchErrorBudget.workflowId(watchErrorBudget.input.parse(input)),
        procedure: watchErrorBudget.procedure,
        input,
        when: { everyMs: every },
        // A measurement that was missed is of no use later.
        catchUpMs: Math.max(SHORTEST_CATCH_UP_MS, every),
        summary: `error budget of ${system} ${environment}: ${Object.keys(slos).join(', ')}, every ${formatDuration(every)}`,
      });
    }),
  );

/** The server takes no shorter one. */
const SHORTEST_CATCH_UP_MS = 10_000;

const withDigest = (wanted: Omit<WantedSchedule, 'digest'>): WantedSchedule => ({
  ...wanted,
  digest: createHash('sha256').update(JSON.stringify(wanted)).digest('hex'),
});

/** Of every window in each of its environments. */
function windowSchedules(catalog: Catalog, at: number): WantedSchedule[] {
  return [...catalog.systems].flatMap(([system, { catalog: loaded }]) =>
    Object.entries(loaded.windows).flatMap(([window, spec]) =>
      spec.environments.map((environment): WantedSchedule => {
        const { zone, dayOfWeek, dayOfMonth } = firingOf(spec, at);
        const input = { system, environment, window, requestedBy: 'schedule' };
        const [start, end] = dayOfMonth;
        return withDigest({
          id: maintenanceWindow.workflowId(maintenanceWindow.input.parse(input)),
          procedure: maintenanceWindow.procedure,
          input,
          when: { zone, calendar: { hour: 0, dayOfWeek, dayOfMonth: { start, end } } },
          catchUpMs: catchUpOf(spec),
          summary: `window ${window} of ${system} ${environment}: ${whenText(spec)}`,
        });
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
