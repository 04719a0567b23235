import { parse } from 'yaml';
import { freezeAt } from '../../src/calendar/freezes.ts';
import { freezeProblems } from '../../src/catalog/freezes.ts';
import { systemSchema } from '../../src/contracts/catalog.ts';
import { endFreezeSchema, startFreezeSchema, type StartFreeze } from '../../src/contracts/change-control.ts';
import { freezeClosures, startedRules } from '../../src/domain/change/freezes.ts';
import { nextWake } from '../../src/domain/lease/admission.ts';
import { timePassed } from '../../src/domain/lease/events.ts';
import { endFreeze, MOST_FREEZES, startFreeze } from '../../src/domain/lease/freezes.ts';
import { emptyState, type LeaseState } from '../../src/domain/lease/state.ts';
import { phaseOf, renderChangeControl, viewState } from '../../src/domain/lease/view.ts';

const NOW = Date.parse('2026-12-24T12:00:00Z');
const HOUR = 3_600_000;
const EMPTY = emptyState({ system: 'sandbox', environment: 'local' });
const start = (state: LeaseState, over: Partial<StartFreeze> = {}, now = NOW) =>
  startFreeze(
    state,
    startFreezeSchema.parse({ until: new Date(NOW + HOUR).toISOString(), reason: 'audit', by: 'ana', ...over }),
    now,
  );
const end = (state: LeaseState, name?: string) => endFreeze(state, endFreezeSchema.parse({ name, by: 'kim' }), NOW);

describe('a freeze that is started by hand', () => {
  const { state: frozen, result } = start(EMPTY);

  test('closes the environment until its end, which time alone brings', () => {
    expect(result).toEqual({
      accepted: true,
      message:
        'sandbox local is closed to deployment and maintenance until 2026-12-24T13:00:00.000Z by freeze by-hand.',
    });
    expect(phaseOf(frozen)).toBe('frozen');
    expect(renderChangeControl(frozen)).toContain(
      '**by-hand** keeps deployment and maintenance out until 2026-12-24T13',
    );
    expect(nextWake(frozen, NOW)).toBe(NOW + HOUR);
    expect(timePassed(frozen, NOW + HOUR - 1)).toBe(frozen);
    const over = timePassed(frozen, NOW + HOUR);
    expect(viewState(over)).toMatchObject({ freezes: [], sequence: frozen.sequence + 1 });
    expect(nextWake(over, NOW + HOUR)).toBeUndefined();
  });

  test('is a freeze like those of the catalog, with who started it', () => {
    const rules = startedRules(viewState(frozen).freezes!);
    const state = (at: number) => freezeAt(rules, 'deployment', at);
    expect(state(NOW)).toEqual({ state: 'closed', rule: 'by-hand', reason: 'audit, says ana', opens: NOW + HOUR });
    expect(state(NOW + HOUR)).toEqual({ state: 'open' });
  });

  test('is prolonged by one of the same name, and ended before its time', () => {
    const until = new Date(NOW + 2 * HOUR).toISOString();
    const longer = start(frozen, { until });
    expect(longer.result.message).toContain(`now lasts until ${until} instead of`);
    expect(longer.state.freezes).toMatchObject([{ until: NOW + 2 * HOUR, from: NOW }]);
    const ended = end(longer.state);
    expect(ended.result.accepted).toBe(true);
    expect(viewState(ended.state)).toMatchObject({ freezes: [], sequence: longer.state.sequence + 1 });
  });

  test.each([
    ['that would be over', start(EMPTY, { until: '2026-12-24T11:59:59Z' }), /would be over/],
    ['that nobody started', end(frozen, 'other'), /No freeze other was started by hand; there is: by-hand/],
    [
      'beyond the most there may be',
      start(Array.from({ length: MOST_FREEZES }, (_, n) => `f${n}`).reduce((state, name) => start(state, { name }).state, EMPTY)), // prettier-ignore
      /There are 20 freezes/,
    ],
  ])('one %s is refused, and nothing changes', (_, { result: refused }, message) => {
    expect(refused).toEqual({ accepted: false, message: expect.stringMatching(message) });
  });

  test.each([
    ['no end', { until: undefined }],
    ['an end without a zone', { until: '2026-12-24T13:00:00' }],
    ['no reason', { reason: ' ' }],
    ['a kind that always passes', { changes: ['rollback'] }],
  ])('one with %s is not understood', (_, over) => {
    const order = { until: '2026-12-24T13:00:00Z', reason: 'audit', by: 'ana', ...over };
    expect(startFreezeSchema.safeParse(order).success).toBe(false);
  });

  test('a state that an older run carried on has none', () => {
    expect(viewState(EMPTY).freezes).toEqual([]);
    expect(EMPTY).not.toHaveProperty('freezes');
  });
});

test.each([
  ['review', undefined],
  ['deployment', undefined],
  ['maintenance', 'upkeep'],
  ['rollback', 'upkeep'],
  ['incident', 'upkeep'],
] as const)('where maintenance is closed, a %s meets %s', (kind, rule) => {
  const closures = freezeClosures(kind, (each) =>
    each === 'maintenance' ? { state: 'closed', rule: 'upkeep', reason: 'why', opens: 1 } : { state: 'open' },
  );
  expect(closures).toEqual(rule ? [{ source: 'freeze', rule, reason: 'why', opens: 1 }] : []);
});

describe('freezes of the catalog', () => {
  const SYSTEM = `
apiVersion: windlass/v1
system: small
description: A small system
environments: { here: { cluster: { context: here }, namespace: small } }
services: {}
freezes:
  nights:
    reason: nobody is awake
    environments: [here]
    recurring: { zone: Europe/Paris, days: [monday, friday], from: '20:00', until: '06:00' }
  christmas:
    reason: nobody is here
    environments: [here]
    once: { zone: UTC, from: 2026-12-24T12:00, until: 2026-12-28T00:00 }
`;
  const faultsWith = (from: string, to: string): string[] => {
    expect(SYSTEM).toContain(from);
    return freezeProblems(systemSchema.parse(parse(SYSTEM.replace(from, to)))).map(
      ({ path, message }) => `${path.join('.')}: ${message}`,
    );
  };

  test('that fit have no faults', () => expect(faultsWith('nights', 'nights')).toEqual([]));

  test.each([
    ['Europe/Paris', 'Mars/Olympus', /^freezes.nights.recurring.zone: expected UTC or a zone .*"Mars\/Olympus"$/],
    ['[monday, friday]', '[monday, monday]', /^freezes.nights.recurring.days.1: expected distinct/],
    ['environments: [here]', 'environments: [there]', /^freezes.nights.environments.0: no environment "there"/],
    ['until: 2026-12-28T00:00', 'until: 2026-12-24T12:00', /^freezes.christmas.once.until: expected an end after/],
  ])('%s as %s is a fault', (from, to, fault) => {
    expect(faultsWith(from, to)).toEqual([expect.stringMatching(fault)]);
  });
});
