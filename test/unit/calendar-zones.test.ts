import { openingToday } from '../../src/calendar/openings.ts';
import { firingOf } from '../../src/calendar/schedule.ts';
import { maintenance, WEEKDAYS, type CatalogWindow } from '../../src/contracts/window.ts';

// The calendar against Intl, which reads zones by other code: around every change of the clocks of every zone from 2024 to
// 2030. The calendar must open exactly at the wall time stated, once.
const DAY = 86_400_000;
const MINUTE = 60_000;
const [FROM, TO] = [Date.UTC(2024, 0, 1, 12), Date.UTC(2031, 0, 1, 12)];

const formats = new Map<string, Intl.DateTimeFormat>();
/** `2026-03-29T02:30` as a clock on the wall shows it, read as if it were UTC. */
function wallAt(zone: string, at: number): number {
  let format = formats.get(zone);
  if (!format) {
    const parts = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', calendar: 'iso8601', ...parts });
    formats.set(zone, format);
  }
  const found = format.formatToParts(at);
  const of = (type: Intl.DateTimeFormatPartTypes): number => Number(found.find((part) => part.type === type)!.value);
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'));
}
const offsetAt = (zone: string, at: number): number => wallAt(zone, at) - at;

/** Noons (UTC) of days with a change of the clocks before the next noon. Looks at every week, then at its days. */
function changesOf(zone: string): number[] {
  const found: number[] = [];
  for (let week = FROM; week < TO; week += 7 * DAY) {
    if (offsetAt(zone, week) === offsetAt(zone, week + 7 * DAY)) continue;
    for (let day = week; day < week + 7 * DAY; day += DAY)
      if (offsetAt(zone, day) !== offsetAt(zone, day + DAY)) found.push(day);
  }
  return found;
}

/** When a wall time is; of one that comes twice the first; one that is skipped as much later as the clocks are put forward. */
function expected(zone: string, wall: number, noon: number): number {
  const [before, after] = [wall - offsetAt(zone, noon), wall - offsetAt(zone, noon + DAY)];
  const real = [before, after].filter((at) => wallAt(zone, at) === wall);
  return real.length > 0 ? Math.min(...real) : before;
}

function windowAt(zone: string, wall: number): CatalogWindow {
  const opens = { weekday: WEEKDAYS[(new Date(wall).getUTCDay() + 6) % 7], at: new Date(wall).toISOString().slice(11, 16) }; // prettier-ignore
  const description = { description: 'A test', environments: ['local'], service: 'shop' };
  return maintenance.parse({ ...description, zone, opens, duration: '2h', tasks: [{ runbook: 'patch' }] });
}

const changes = Intl.supportedValuesOf('timeZone').flatMap((zone) => changesOf(zone).map((noon) => ({ zone, noon })));

test('the zones have their changes: spring and autumn of more than a hundred zones, Lord Howe by half an hour, Morocco by Ramadan', () => {
  const of = (zone: string): number => changes.filter((each) => each.zone === zone).length;
  expect(new Set(changes.map(({ zone }) => zone)).size).toBeGreaterThan(100);
  expect([of('America/New_York'), of('Australia/Lord_Howe'), of('Asia/Tokyo')]).toEqual([14, 14, 0]);
  expect(of('Africa/Casablanca')).toBeGreaterThanOrEqual(6);
});

test('around every change of the clocks a window opens exactly when the wall shows its time', () => {
  const wrong: string[] = [];
  for (const { zone, noon } of changes) {
    // From the hour before the change to the hour after it, on the wall.
    const changed = changeWithin(zone, noon);
    const wall = wallAt(zone, changed - MINUTE) + MINUTE;
    for (const minutes of [-60, -30, 0, 30, 60, 90]) {
      const time = wall + minutes * MINUTE;
      const midday = Math.floor(time / DAY) * DAY + DAY / 2;
      const opensAt = openingToday(windowAt(zone, time), midday - offsetAt(zone, noon))?.opensAt;
      if (opensAt !== expected(zone, time, noon))
        wrong.push(`${zone} ${new Date(time).toISOString()}: ${opensAt}, expected ${expected(zone, time, noon)}`);
    }
  }
  expect(wrong).toEqual([]);
});

/** The instant of the change, to the minute. */
function changeWithin(zone: string, noon: number): number {
  const before = offsetAt(zone, noon);
  let [low, high] = [noon, noon + DAY];
  while (high - low > MINUTE) {
    const middle = low + Math.floor((high - low) / 2 / MINUTE) * MINUTE;
    if (offsetAt(zone, middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

test('midnight of the clock by which a Schedule fires is never after that of the zone, and two hours before it at most', () => {
  const wrong: string[] = [];
  const offsets = new Map<string, number>();
  for (const { zone, noon } of changes) {
    if (!offsets.has(zone)) offsets.set(zone, offsetAt(firingOf(windowAt(zone, DAY / 2), FROM).zone, FROM));
    for (const at of [noon, noon + DAY]) {
      const ahead = offsets.get(zone)! - offsetAt(zone, at);
      if (ahead < 0 || ahead > 120 * MINUTE) wrong.push(`${zone} ${new Date(at).toISOString()}: ${ahead / MINUTE} min`);
    }
  }
  expect(wrong).toEqual([]);
});
