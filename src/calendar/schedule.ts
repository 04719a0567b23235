import { Temporal } from '@js-temporal/polyfill';
import type { CatalogWindow, WindowTimes } from '../contracts/window.ts';

/** Years whose changes of the clocks an hour is checked against. */
const YEARS = 12;

/** As Temporal writes it. */
export type Weekday = Uppercase<CatalogWindow['opens']['weekday']>;

/** When a Schedule starts the workflow of a window, which sleeps until the opening. */
export interface Firing {
  zone: string;
  /** Full hour on the local date of the opening. */
  hour: number;
  dayOfWeek: Weekday;
  /** First and last day of a month. */
  dayOfMonth: [number, number];
}

/**
 * The firing of a window: the earliest hour of its date that every date has exactly once, because a Schedule never fires
 * at an hour that a change of the clocks skips, and fires twice at one that it repeats.
 * @param at only the changes of the clocks in the years around it count
 * @returns undefined when no hour before the opening is such a one
 */
export function firingOf({ zone, opens }: Pick<WindowTimes, 'zone' | 'opens'>, at: number): Firing | undefined {
  const unsafe = changedHours(zone, at);
  const before = Number(opens.at.slice(0, 2)) + (opens.at.endsWith(':00') ? 0 : 1);
  const hour = Array.from({ length: before }, (_, index) => index).find((each) => !unsafe.has(each));
  if (hour === undefined) return undefined;
  const { week } = opens;
  return {
    zone,
    hour,
    dayOfWeek: opens.weekday.toUpperCase() as Weekday,
    dayOfMonth: week === undefined ? [1, 31] : [7 * week - 6, 7 * week],
  };
}

/** How long before the opening a window is started at least, on days without a change of the clocks. */
export const leadOf = (firing: Firing, { opens }: Pick<WindowTimes, 'opens'>): number => {
  const [hours, minutes] = opens.at.split(':').map(Number) as [number, number];
  return ((hours - firing.hour) * 60 + minutes) * 60_000;
};

/** A Schedule that fires late starts nothing that could not begin any more. */
export const catchUpOf = ({ duration, cutoff }: Pick<CatalogWindow, 'duration' | 'cutoff'>): number =>
  duration - cutoff;

/** Hours of the day that some change of the clocks skips or repeats, wholly or in part. */
function changedHours(zone: string, at: number): Set<number> {
  const hours = new Set<number>();
  let now = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).subtract({ years: 1 });
  const end = now.add({ years: YEARS });
  for (;;) {
    const next = now.getTimeZoneTransition('next');
    if (!next || Temporal.ZonedDateTime.compare(next, end) > 0) return hours;
    const before = next.subtract({ nanoseconds: 1 });
    const shift = Math.abs(next.offsetNanoseconds - before.offsetNanoseconds) / 60e9;
    const wall = before.toPlainDateTime().add({ nanoseconds: 1 });
    const forward = next.offsetNanoseconds > before.offsetNanoseconds;
    const first = forward ? wall : next.toPlainDateTime();
    for (let minute = 0; minute < shift; minute += 30) hours.add(first.add({ minutes: minute }).hour);
    now = next;
  }
}
