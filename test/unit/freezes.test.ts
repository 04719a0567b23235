import fc from 'fast-check';
import { freezeAt } from '../../src/calendar/freezes.ts';
import { CHANGE_KINDS, freeze, type FreezeRule } from '../../src/contracts/freeze.ts';
import { WEEKDAYS } from '../../src/contracts/window.ts';

const HOUR = 3_600_000;
const at = (iso: string): number => Date.parse(iso);
const rule = (name: string, over: object): FreezeRule => ({
  name,
  ...freeze.parse({ reason: `because of ${name}`, environments: ['local'], ...over }),
});
const recurring = (over: object) => ({ recurring: { zone: 'UTC', days: ['friday'], from: '17:00', until: '18:00', ...over } }); // prettier-ignore

const WEEKEND = rule('weekend', recurring({ until: '08:00', untilDay: 'monday' }));
const NEW_YORK = rule('weekend', recurring({ zone: 'America/New_York', until: '08:00', untilDay: 'monday' }));
const NIGHTS = rule('nights', recurring({ days: [...WEEKDAYS], from: '20:00', until: '06:00' }));
const HOURS = rule('hours', {
  effect: 'allow',
  ...recurring({ days: WEEKDAYS.slice(0, 5), from: '09:00', until: '17:00' }),
});
const CHRISTMAS = rule('christmas', { once: { zone: 'UTC', from: '2026-12-24T12:00', until: '2026-12-28T00:00' } });
const FIRST_MONDAY = rule('reports', recurring({ days: ['monday'], week: 1, from: '00:00', until: '12:00' }));

describe('freezes', () => {
  test.each([
    ['none', [], '2026-11-27T12:00:00Z', 'open', undefined],
    ['before it begins', [WEEKEND], '2026-11-27T16:59:59Z', 'open', '2026-11-27T17:00:00Z'],
    ['as it begins', [WEEKEND], '2026-11-27T17:00:00Z', 'weekend', '2026-11-30T08:00:00Z'],
    ['in the middle of it, two days later', [WEEKEND], '2026-11-29T12:00:00Z', 'weekend', '2026-11-30T08:00:00Z'],
    ['as it ends', [WEEKEND], '2026-11-30T08:00:00Z', 'open', '2026-12-04T17:00:00Z'],
    ['over midnight', [NIGHTS], '2026-11-27T02:00:00Z', 'nights', '2026-11-27T06:00:00Z'],
    ['one in a month', [FIRST_MONDAY], '2026-11-27T00:00:00Z', 'open', '2026-12-07T00:00:00Z'],
    ['only what is allowed', [HOURS], '2026-11-27T18:00:00Z', 'hours', '2026-11-30T09:00:00Z'],
    ['while it is allowed', [HOURS], '2026-11-27T16:00:00Z', 'open', '2026-11-27T17:00:00Z'],
    ['denied although it is allowed', [HOURS, CHRISTMAS], '2026-12-24T13:00:00Z', 'christmas', '2026-12-28T09:00:00Z'],
    [
      'one after another without a gap',
      [WEEKEND, rule('monday', recurring({ days: ['monday'], from: '08:00', until: '10:00' }))],
      '2026-11-28T00:00:00Z',
      'weekend',
      '2026-11-30T10:00:00Z',
    ],
    ['the longest of several', [NIGHTS, CHRISTMAS], '2026-12-24T21:00:00Z', 'christmas', '2026-12-28T06:00:00Z'],
    ['past the change to winter time', [NEW_YORK], '2026-10-31T12:00:00Z', 'weekend', '2026-11-02T13:00:00Z'],
    ['before the change to winter time', [NEW_YORK], '2026-10-30T20:59:59Z', 'open', '2026-10-30T21:00:00Z'],
    ['past the change to summer time', [NEW_YORK], '2026-03-07T12:00:00Z', 'weekend', '2026-03-09T12:00:00Z'],
    ['a single one that is over', [CHRISTMAS], '2027-01-01T00:00:00Z', 'open', undefined],
    ['far away, beyond the first look', [CHRISTMAS], '2026-06-01T00:00:00Z', 'open', '2026-12-24T12:00:00Z'],
    [
      'nothing that is allowed any more',
      [rule('trial', { effect: 'allow', once: { zone: 'UTC', from: '2026-01-01T00:00', until: '2026-02-01T00:00' } })],
      '2026-11-27T00:00:00Z',
      'trial',
      undefined,
    ],
  ] as const)('%s', (_, rules, now, expected, next) => {
    const found = freezeAt([...rules], 'deployment', at(now));
    const changes = found.state === 'open' ? found.closes : found.opens;
    expect([found.state === 'open' ? 'open' : found.rule, changes]).toEqual([expected, next && at(next)]);
  });

  test('an hour that the clocks skip needs no freeze, and one that comes twice is closed from the first', () => {
    const skipped = rule('skipped', recurring({ zone: 'America/New_York', days: ['sunday'], from: '02:00', until: '03:00' })); // prettier-ignore
    const twice = rule('twice', recurring({ zone: 'America/New_York', days: ['sunday'], from: '01:00', until: '03:00' })); // prettier-ignore
    expect(freezeAt([skipped], 'deployment', at('2026-03-08T07:30:00Z'))).toMatchObject({ state: 'open' });
    expect(freezeAt([skipped], 'deployment', at('2026-03-15T06:30:00Z'))).toMatchObject({ state: 'closed' });
    expect(freezeAt([twice], 'deployment', at('2026-11-01T05:00:00Z'))).toMatchObject({
      state: 'closed',
      opens: at('2026-11-01T08:00:00Z'),
    });
  });

  test('one that is about maintenance keeps no deployment out', () => {
    const only = { ...CHRISTMAS, changes: ['maintenance' as const] };
    expect(freezeAt([only], 'deployment', at('2026-12-25T00:00:00Z')).state).toBe('open');
    expect(freezeAt([only], 'maintenance', at('2026-12-25T00:00:00Z')).state).toBe('closed');
  });

  const time = fc.tuple(fc.nat(23), fc.nat(59)).map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`); // prettier-ignore
  const anyRule = fc
    .record({
      effect: fc.constantFrom('deny' as const, 'deny' as const, 'allow' as const),
      zone: fc.constantFrom('UTC', 'America/New_York', 'Europe/Paris', 'Australia/Lord_Howe', 'Pacific/Apia'),
      days: fc.subarray([...WEEKDAYS], { minLength: 1, maxLength: 4 }),
      from: time,
      until: time,
      untilDay: fc.option(fc.constantFrom(...WEEKDAYS), { nil: undefined }),
    })
    .map(({ effect, ...when }) => rule(when.from, { effect, recurring: when }));

  test('until the next change nothing changes, and then it does: 25 random calendars of any zones', () => {
    fc.assert(
      fc.property(
        fc.array(anyRule, { minLength: 1, maxLength: 2 }),
        fc.nat(5 * 365 * 24).map((hours) => at('2025-01-01T00:00:00Z') + hours * HOUR),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { minLength: 1, maxLength: 1 }),
        (rules, now, fractions) => {
          const first = freezeAt(rules, 'deployment', now);
          const change = first.state === 'open' ? first.closes : first.opens;
          const states = (times: number[]) => times.map((each) => freezeAt(rules, 'deployment', each).state);
          if (change === undefined) return true;
          const end = change;
          const between = states([...fractions.map((part) => now + Math.floor(part * (end - 1 - now))), end - 1]);
          if (between.some((state) => state !== first.state)) return false;
          return states([end])[0] !== first.state;
        },
      ),
      { numRuns: 25 },
    );
  });

  test('in UTC it says what the clock on the wall says: 100 random calendars', () => {
    const minutes = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
    fc.assert(
      fc.property(fc.subarray([...WEEKDAYS], { minLength: 1 }), time, time, fc.nat(7 * 24 * 60 - 1), (days, from, until, minute) => {
        const now = at('2026-11-23T00:00:00Z') + minute * 60_000;
        const found = freezeAt([rule('any', recurring({ days, from, until }))], 'deployment', now);
        const [day, of] = [Math.floor(minute / 1440), minute % 1440];
        const begins = (index: number): boolean => days.includes(WEEKDAYS[(index + 7) % 7]!);
        const sameDay = minutes(until) > minutes(from);
        const today = begins(day) && of >= minutes(from) && (!sameDay || of < minutes(until));
        return (found.state === 'closed') === (today || (!sameDay && begins(day - 1) && of < minutes(until)));
      }), // prettier-ignore
      { numRuns: 100 },
    );
  });
});

describe('a freeze of the catalog', () => {
  test.each([
    ['neither recurring nor once', {}, /recurring.* or .*once/],
    ['both', { ...recurring({}), once: { zone: 'UTC', from: '2026-01-01T00:00', until: '2026-01-02T00:00' } }, /recurring.* or .*once/], // prettier-ignore
    ['a date that does not exist', { once: { zone: 'UTC', from: '2026-13-01T00:00', until: '2026-12-31T00:00' } }, /date that exists/], // prettier-ignore
    ['rollbacks', { ...recurring({}), changes: ['rollback'] }, /Invalid option/],
    ['no day', recurring({ days: [] }), /Too small/],
  ])('%s is a fault', (_, over, fault) => {
    expect(() => rule('bad', over)).toThrow(fault);
  });

  test('is about every kind of change unless it says otherwise', () => {
    expect(WEEKEND.changes).toEqual(CHANGE_KINDS);
  });
});
