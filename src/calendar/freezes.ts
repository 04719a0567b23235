import { Temporal } from '@js-temporal/polyfill';
import type { CatalogFreeze, ChangeKind, FreezeRule, FreezeState } from '../contracts/freeze.ts';
import { WEEKDAYS } from '../contracts/window.ts';
import { datesFrom, DAY_MS, opensOn } from './openings.ts';

/** From the first moment on, to the last one exclusively; milliseconds since the epoch. */
export interface Period {
  from: number;
  until: number;
}

/** Looked ahead in steps: nearly always the next change is near, and to look further costs a date a day. */
const SIGHT_DAYS = [8, 40, 400];

/**
 * What freezes say of changes of a kind at a moment, and when that changes. Deny wins; where anything is allowed for that
 * kind, all else is closed. A freeze ends at the moment of its end: then it is open.
 */
export function freezeAt(freezes: FreezeRule[], kind: ChangeKind, at: number): FreezeState {
  const rules = freezes.filter(({ changes }) => changes.includes(kind));
  let closing: FreezeRule | undefined;
  for (const days of SIGHT_DAYS) {
    const known = rules.map((rule) => ({ rule, periods: periodsWithin(rule, at, days) }));
    closing = closedBy(known, at);
    const change = nextChange(known, at, at + days * DAY_MS);
    if (!change) continue;
    if (closing) return { state: 'closed', rule: closing.name, reason: closing.reason, opens: change.at };
    return { state: 'open', closes: change.at, rule: change.rule };
  }
  return closing ? { state: 'closed', rule: closing.name, reason: closing.reason } : { state: 'open' };
}

interface Known {
  rule: FreezeRule;
  periods: Period[];
}

/**
 * When it opens if it is closed, or closes and by which rule if it is open.
 * @param sight beyond it recurring periods are not known, so that single ones say nothing reliable either
 */
function nextChange(known: Known[], at: number, sight: number): { at: number; rule: string } | undefined {
  const closed = closedBy(known, at) !== undefined;
  const ends = known.flatMap(({ periods }) => periods.flatMap(({ from, until }) => [from, until]));
  const seen = [...new Set(ends)].filter((end) => end > at && end <= sight).sort((one, other) => one - other);
  for (const end of seen) {
    const then = closedBy(known, end);
    if ((then !== undefined) !== closed) return { at: end, rule: then?.name ?? '' };
  }
  return undefined;
}

/** The rule that closes a moment: of those that deny, the one that lasts longest. */
function closedBy(known: Known[], at: number): FreezeRule | undefined {
  const endOf = ({ periods }: Known): number =>
    Math.max(-Infinity, ...periods.filter(({ from, until }) => from <= at && at < until).map(({ until }) => until));
  const denying = known
    .filter(({ rule }) => rule.effect === 'deny')
    .map((each) => ({ rule: each.rule, end: endOf(each) }))
    .filter(({ end }) => end > at)
    .sort((one, other) => other.end - one.end);
  if (denying.length > 0) return denying[0]!.rule;
  const allowing = known.filter(({ rule }) => rule.effect === 'allow');
  if (allowing.length === 0 || allowing.some((each) => endOf(each) > at)) return undefined;
  const beginning = ({ periods }: Known): number =>
    Math.min(Infinity, ...periods.filter(({ from }) => from > at).map(({ from }) => from));
  return allowing.sort((one, other) => beginning(one) - beginning(other))[0]!.rule;
}

/** The periods of a freeze that touch the days after `at`, in order; of a single one always that one. */
export function periodsWithin({ recurring, once }: Pick<FreezeRule, 'recurring' | 'once'>, at: number, days: number) {
  if (once) return [singlePeriod(once)];
  if (!recurring) return [];
  // One that began up to a week before may last still.
  const dates = [...datesFrom(recurring.zone, at - 9 * DAY_MS, days + 11)];
  return dates.flatMap((date) => periodOn(recurring, date) ?? []).filter(({ until }) => until > at);
}

type Recurring = NonNullable<CatalogFreeze['recurring']>;

/** As windows do: a wall time that the clocks skip is later by as much, of one that comes twice it is the first. */
function periodOn(recurring: Recurring, date: Temporal.PlainDate): Period | undefined {
  const { days, week, from, until, untilDay, zone } = recurring;
  const weekday = WEEKDAYS[date.dayOfWeek - 1]!;
  if (!days.includes(weekday) || !opensOn({ opens: { weekday, week, at: from } }, date)) return undefined;
  const last = date.add({ days: daysUntil(date, { from, until, untilDay }) });
  const period = { from: wall(zone, date, from), until: wall(zone, last, until) };
  // On the day on which the clocks are put forward, an hour that does not exist needs no freeze.
  return period.until > period.from ? period : undefined;
}

function daysUntil(
  date: Temporal.PlainDate,
  { from, until, untilDay }: Pick<Recurring, 'from' | 'until' | 'untilDay'>,
) {
  if (untilDay === undefined) return until > from ? 0 : 1;
  const ahead = (WEEKDAYS.indexOf(untilDay) + 1 - date.dayOfWeek + 7) % 7;
  return ahead === 0 && until <= from ? 7 : ahead;
}

const wall = (timeZone: string, date: Temporal.PlainDate, time: string): number =>
  date.toZonedDateTime({ timeZone, plainTime: Temporal.PlainTime.from(time) }).epochMilliseconds;

/** The period of a freeze that comes once. */
export function singlePeriod({ zone, from, until }: NonNullable<CatalogFreeze['once']>): Period {
  const at = (local: string): number => Temporal.PlainDateTime.from(local).toZonedDateTime(zone).epochMilliseconds;
  return { from: at(from), until: at(until) };
}
