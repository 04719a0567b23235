import type { Deadline } from '../../contracts/incident-catalog.ts';
import { endOfNextBusinessDay, type BusinessCalendar } from './business-days.ts';

/** How soon somebody must respond, and how often silence is told to the next in the chain. */
export interface ResponseTimes {
  respondWithin: Deadline;
  escalateEvery: Deadline;
}

/** When the time from `at` is over. */
export const dueAfter = (at: number, deadline: Deadline, calendar: BusinessCalendar): number =>
  deadline === 'next-business-day' ? endOfNextBusinessDay(at, calendar) : at + deadline;

/**
 * When each level of the on-call chain is told, by its place: the first at once, the second when nobody responded in
 * time, each further one an interval later. A pure function of when the incident got its severity.
 */
export function escalationTimes(
  since: number,
  { respondWithin, escalateEvery }: ResponseTimes,
  levels: number,
  calendar: BusinessCalendar,
): number[] {
  const times = [since];
  while (times.length < levels) {
    const last = times.at(-1)!;
    times.push(dueAfter(last, times.length === 1 ? respondWithin : escalateEvery, calendar));
  }
  return times;
}

/** The highest level that has been reached at `at`: 0 is the first in the chain. */
export const levelAt = (times: number[], at: number): number => times.filter((time) => time <= at).length - 1;
