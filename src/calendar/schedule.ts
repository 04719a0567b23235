import { Temporal } from '@js-temporal/polyfill';
import type { CatalogWindow, WindowTimes } from '../contracts/window.ts';

/** Years whose changes of the clocks count. */
const YEARS = 12;

/** As Temporal writes it. */
export type Weekday = Uppercase<CatalogWindow['opens']['weekday']>;

/** When a Schedule starts the workflow of a window, which sleeps until the opening: at 00:00 of these dates. */
export interface Firing {
  /** Of a fixed offset. */
  zone: string;
  dayOfWeek: Weekday;
  /** First and last day of a month. */
  dayOfMonth: [number, number];
}

/**
 * The firing of a window: midnight of its date, by a clock that is never changed and is ahead of the window's zone or level
 * with it. A Temporal server cannot be asked in the zone itself: where clocks change, its Schedules fire twice, not at all or on the
 * wrong date (0045), and it may have other zone rules than we.
 * @param at only the changes of the clocks in the years around it count
 */
export function firingOf({ zone, opens }: Pick<WindowTimes, 'zone' | 'opens'>, at: number): Firing {
  const { week } = opens;
  return {
    zone: fixedZone(Math.ceil(largestOffset(zone, at) / 3600e9)),
    dayOfWeek: opens.weekday.toUpperCase() as Weekday,
    dayOfMonth: week === undefined ? [1, 31] : [7 * week - 6, 7 * week],
  };
}

/** The zone that is always so many hours ahead of UTC. The signs of these names are those of POSIX, the other way round. */
const fixedZone = (hours: number): string =>
  hours === 0 ? 'UTC' : `Etc/GMT${hours < 0 ? '+' : '-'}${Math.abs(hours)}`;

/** How long before the opening a window is started at least. */
export const leadOf = ({ opens }: Pick<WindowTimes, 'opens'>): number => {
  const [hours, minutes] = opens.at.split(':').map(Number) as [number, number];
  return (hours * 60 + minutes) * 60_000;
};

/** A Schedule that fires late starts nothing that could not begin any more. */
export const catchUpOf = ({ duration, cutoff }: Pick<CatalogWindow, 'duration' | 'cutoff'>): number =>
  duration - cutoff;

/** Of the zone, in the years around `at`; nanoseconds. */
function largestOffset(zone: string, at: number): number {
  let now = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).subtract({ years: 1 });
  const end = now.add({ years: YEARS });
  let largest = now.offsetNanoseconds;
  for (;;) {
    const next = now.getTimeZoneTransition('next');
    if (!next || Temporal.ZonedDateTime.compare(next, end) > 0) return largest;
    largest = Math.max(largest, next.offsetNanoseconds);
    now = next;
  }
}
