import { openingDue, openingNow, openingsWithin, openingToday, stateAt } from '../../src/calendar/openings.ts';
import { overlapOf } from '../../src/calendar/overlap.ts';
import { catchUpOf, firingOf, leadOf } from '../../src/calendar/schedule.ts';
import { maintenance, type CatalogWindow } from '../../src/contracts/window.ts';

const HOUR = 3_600_000;
const at = (iso: string): number => Date.parse(iso);
const iso = (ms: number): string => new Date(ms).toISOString();
const window = (over: object): CatalogWindow =>
  maintenance.parse({
    description: 'A test',
    environments: ['local'],
    service: 'shop',
    zone: 'UTC',
    opens: { weekday: 'sunday', at: '02:00' },
    duration: '2h',
    cutoff: '30m',
    tasks: [{ runbook: 'patch' }],
    ...over,
  });
const WEEKLY = window({});
const MONTHLY = window({ opens: { weekday: 'sunday', week: 1, at: '01:00' }, duration: '5h', includes: ['weekly'] });
const NEW_YORK = window({ zone: 'America/New_York' });

describe('openings', () => {
  test.each([
    ['a common Sunday', NEW_YORK, '2026-11-29', '2026-11-29T07:00:00.000Z'],
    ['02:00 that does not exist', NEW_YORK, '2026-03-08', '2026-03-08T07:00:00.000Z'],
    ['the Sunday on which 01:00 comes twice', NEW_YORK, '2026-11-01', '2026-11-01T07:00:00.000Z'],
    [
      'an hour that comes twice',
      window({ zone: 'America/New_York', opens: { weekday: 'sunday', at: '01:30' } }),
      '2026-11-01',
      '2026-11-01T05:30:00.000Z',
    ],
    ['the first Sunday', MONTHLY, '2026-12-06', '2026-12-06T01:00:00.000Z'],
    [
      'a day that is a Sunday further west only',
      window({ zone: 'Pacific/Auckland' }),
      '2026-11-29',
      '2026-11-28T13:00:00.000Z',
    ],
  ] as const)('%s', (_, of, date, opensAt) => {
    const opening = openingToday(of, at(opensAt));
    expect(opening).toMatchObject({ date, opensAt: at(opensAt), closesAt: at(opensAt) + of.duration });
  });

  test('every Sunday of 2024 to 2030 has one in New York, those of the changes of the clocks too', () => {
    const openings = openingsWithin(NEW_YORK, at('2024-01-01T12:00:00Z'), 2556);
    const dates = openings.map(({ date }) => date);
    expect(dates).toHaveLength(365);
    expect(new Set(dates).size).toBe(365);
    expect(dates).toEqual(expect.arrayContaining(['2026-03-08', '2026-11-01', '2030-11-03']));
  });

  test('one that is opened by hand begins at once and has its whole time', () => {
    expect(openingNow(WEEKLY, at('2026-11-25T10:00:00Z'))).toEqual({
      date: '2026-11-25',
      opensAt: at('2026-11-25T10:00:00Z'),
      lastStartAt: at('2026-11-25T11:30:00Z'),
      closesAt: at('2026-11-25T12:00:00Z'),
    });
  });

  test.each([
    ['2026-11-29T01:59:59Z', 'closed', '2026-11-29T02:00:00.000Z'],
    ['2026-11-29T02:00:00Z', 'open', '2026-11-29T04:00:00.000Z'],
    ['2026-11-29T03:59:59Z', 'open', '2026-11-29T04:00:00.000Z'],
    ['2026-11-29T04:00:00Z', 'closed', '2026-12-06T02:00:00.000Z'],
  ])('at %s it is %s until %s', (now, state, next) => {
    const found = stateAt(WEEKLY, at(now));
    expect([found.state, iso(found.nextTransition)]).toEqual([state, next]);
  });

  test("today's is the one of the date in its zone", () => {
    expect(openingToday(NEW_YORK, at('2026-11-30T03:00:00Z'))!.date).toBe('2026-11-29');
    expect(openingToday(NEW_YORK, at('2026-11-29T04:00:00Z'))).toBeUndefined();
  });
});

describe('a firing', () => {
  test.each([
    ['UTC', 'UTC'],
    ['America/New_York', 'Etc/GMT+4'],
    ['America/St_Johns', 'Etc/GMT+2'],
    ['Europe/London', 'Etc/GMT-1'],
    ['Asia/Kathmandu', 'Etc/GMT-6'],
    ['Pacific/Kiritimati', 'Etc/GMT-14'],
  ])('of a window in %s goes by %s, which is never behind it', (zone, by) => {
    expect(firingOf(window({ zone }), at('2026-11-26T00:00:00Z')).zone).toBe(by);
  });

  test('of a monthly window is on the days that a first Sunday can be', () => {
    const firing = firingOf(MONTHLY, at('2026-11-26T00:00:00Z'));
    expect(firing).toEqual({ zone: 'UTC', dayOfWeek: 'SUNDAY', dayOfMonth: [1, 7] });
    expect(leadOf(MONTHLY)).toBe(HOUR);
  });

  test.each([
    ['the evening before, earlier than three hours', '2026-11-28T20:59:59Z', undefined],
    ['the evening before', '2026-11-28T21:00:00Z', '2026-11-29'],
    ['the date itself', '2026-11-29T00:00:00Z', '2026-11-29'],
    ['the evening after', '2026-11-29T23:00:00Z', '2026-11-29'],
  ])('on %s is for the opening of that date, or of none', (_, now, date) => {
    expect(openingDue(WEEKLY, at(now))?.date).toBe(date);
  });

  test('is made up for only while a task could still begin', () => {
    expect(catchUpOf(WEEKLY)).toBe(1.5 * HOUR);
  });
});

describe('windows that overlap', () => {
  const windows = { weekly: WEEKLY, monthly: MONTHLY };
  const on = (of: CatalogWindow, date: string) => openingsWithin(of, at(`${date}T12:00:00Z`), 1)[0]!;

  test('on the first Sunday the monthly one does the tasks of both, and the weekly one stays closed', () => {
    expect(overlapOf('monthly', on(MONTHLY, '2026-12-06'), windows, 'local')).toEqual({ included: ['weekly'] });
    expect(overlapOf('weekly', on(WEEKLY, '2026-12-06'), windows, 'local')).toEqual({
      included: [],
      coveredBy: 'monthly',
    });
  });

  test('on any other Sunday the weekly one opens', () => {
    expect(overlapOf('weekly', on(WEEKLY, '2026-12-13'), windows, 'local')).toEqual({ included: [] });
  });

  test('of which neither includes the other, both open, one behind the other', () => {
    const apart = { weekly: WEEKLY, monthly: { ...MONTHLY, includes: [] } };
    expect(overlapOf('weekly', on(WEEKLY, '2026-12-06'), apart, 'local')).toEqual({ included: [] });
  });

  test('in another environment are nothing to each other', () => {
    const elsewhere = { weekly: WEEKLY, monthly: { ...MONTHLY, environments: ['staging'] } };
    expect(overlapOf('weekly', on(WEEKLY, '2026-12-06'), elsewhere, 'local')).toEqual({ included: [] });
  });
});
