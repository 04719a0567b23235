/** When people work. Dates and times of day are local to the zone. */
export interface BusinessCalendar {
  zone: string;
  businessHours: { from: string; until: string };
  /** `2026-12-25`. */
  holidays: string[];
}

const DAY_MS = 86_400_000;
/** Three weeks of holidays in a row are a mistake in the catalog; the search ends. */
const FARTHEST_DAYS = 30;

/** Local date (`2026-11-26`) of an instant. */
export function localDate(at: number, zone: string): string {
  return localParts(at, zone).slice(0, 10);
}

/** Whether people work on a local date: no Saturday, no Sunday, no holiday. */
export function isBusinessDay(date: string, { holidays }: Pick<BusinessCalendar, 'holidays'>): boolean {
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay();
  return weekday !== 0 && weekday !== 6 && !holidays.includes(date);
}

/** End of the business hours of the first business day after the local date of `at`. */
export function endOfNextBusinessDay(at: number, calendar: BusinessCalendar): number {
  const today = Date.parse(`${localDate(at, calendar.zone)}T00:00:00Z`);
  for (let days = 1; days <= FARTHEST_DAYS; days++) {
    const date = new Date(today + days * DAY_MS).toISOString().slice(0, 10);
    if (isBusinessDay(date, calendar)) return instantOf(date, calendar.businessHours.until, calendar.zone);
  }
  return today + FARTHEST_DAYS * DAY_MS;
}

/** The instant of a local date and time of day. One that a clock change skips is the same time before the change. */
export function instantOf(date: string, time: string, zone: string): number {
  const wanted = Date.parse(`${date}T${time}:00Z`);
  // The offset at the wrong instant may be that of the other side of a clock change: the second look corrects it.
  const guess = wanted - offsetAt(wanted, zone);
  return wanted - offsetAt(guess, zone);
}

const offsetAt = (at: number, zone: string): number =>
  Date.parse(`${localParts(at, zone)}Z`) - Math.floor(at / 1000) * 1000;

/** `2026-11-26T14:25:00` in a zone. */
function localParts(at: number, zone: string): string {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return `${parts['year']}-${parts['month']}-${parts['day']}T${parts['hour']}:${parts['minute']}:${parts['second']}`;
}
