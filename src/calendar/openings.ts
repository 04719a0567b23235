import { Temporal } from '@js-temporal/polyfill';
import { WEEKDAYS, type Opening, type WindowTimes } from '../contracts/window.ts';

// When windows are. Time zones change with the data of the machine that reads them, so workflows never do: they get
// openings from an activity and keep them in their history.

/** Further ahead than two openings can be apart. */
const LOOKAHEAD_DAYS = 70;

/** Whether the machine knows this zone of the IANA database. */
export function isZone(zone: string): boolean {
  try {
    new Temporal.Instant(0n).toZonedDateTimeISO(zone);
    return zone.includes('/') || zone === 'UTC';
  } catch {
    return false;
  }
}

/** Whether a window opens on this local date. */
export function opensOn({ opens }: Pick<WindowTimes, 'opens'>, date: Temporal.PlainDate): boolean {
  if (WEEKDAYS[date.dayOfWeek - 1] !== opens.weekday) return false;
  return opens.week === undefined || Math.ceil(date.day / 7) === opens.week;
}

/**
 * The opening on a local date. A wall time that a change of the clocks skips is as much later as they are put forward
 * (02:00 becomes 03:00); of one that comes twice it is the first.
 */
export function openingOn(window: WindowTimes, date: Temporal.PlainDate): Opening | undefined {
  if (!opensOn(window, date)) return undefined;
  const { zone, opens, duration, cutoff } = window;
  const local = date.toZonedDateTime({ timeZone: zone, plainTime: Temporal.PlainTime.from(opens.at) });
  const opensAt = local.epochMilliseconds;
  return {
    date: date.toString(),
    opensAt,
    lastStartAt: opensAt + duration - cutoff,
    closesAt: opensAt + duration,
  };
}

/** Local dates from the one at `from` on, as many as asked for. */
export function* datesFrom(zone: string, from: number, days: number): Generator<Temporal.PlainDate> {
  let date = dateAt(zone, from);
  for (let day = 0; day < days; day++) {
    yield date;
    date = date.add({ days: 1 });
  }
}

const dateAt = (zone: string, at: number): Temporal.PlainDate =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDate();

/** The opening on the local date of `at`, past or to come. */
export const openingToday = (window: WindowTimes, at: number): Opening | undefined =>
  openingOn(window, dateAt(window.zone, at));

/**
 * How long before its date a run may be started for an opening. The clock of its Schedule is up to two hours ahead
 * (`firingOf`; in Troll), and one more if the rules of the zone have changed since the Schedule was written.
 */
const EARLY_MS = 3 * 3_600_000;

/** The opening that a run started at `at` is for: that of its local date, or of the date that is about to begin. */
export const openingDue = (window: WindowTimes, at: number): Opening | undefined =>
  openingToday(window, at) ?? openingToday(window, at + EARLY_MS);

/** The openings whose dates are in the days after `from`, in order. */
export const openingsWithin = (window: WindowTimes, from: number, days: number): Opening[] =>
  [...datesFrom(window.zone, from, days)].flatMap((date) => openingOn(window, date) ?? []);

/** An opening outside of the calendar. */
export const openingNow = ({ zone, duration, cutoff }: WindowTimes, at: number): Opening => ({
  date: dateAt(zone, at).toString(),
  opensAt: at,
  lastStartAt: at + duration - cutoff,
  closesAt: at + duration,
});

/** Whether a window is open, and when that changes next. */
export function stateAt(
  window: WindowTimes,
  at: number,
): { state: 'open' | 'closed'; opening: Opening; nextTransition: number } {
  // One that opened on an earlier date may still be open.
  const from = at - window.duration - 2 * DAY_MS;
  const found = openingsWithin(window, from, LOOKAHEAD_DAYS).find(({ closesAt }) => closesAt > at);
  if (!found) throw new Error(`no opening of a window in ${window.zone} within ${LOOKAHEAD_DAYS} days`);
  const open = found.opensAt <= at;
  return { state: open ? 'open' : 'closed', opening: found, nextTransition: open ? found.closesAt : found.opensAt };
}

export const DAY_MS = 86_400_000;
