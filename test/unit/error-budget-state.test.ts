import { wantedOf, mustLook, workflowStep } from '../../src/domain/budget/deploy-workflow.ts';
import { isStale, takeBudget, type BudgetState } from '../../src/domain/budget/state.ts';
import { staleNews, toldOf, untold } from '../../src/domain/budget/telling.ts';
import { describeBudget, zoneNotice, zoneRecord } from '../../src/domain/budget/words.ts';
import { budgetAfter, measuredAt, MINUTE, taken } from '../support/budget.ts';

let settled = 0;
const settle = (budget: BudgetState, over: object): BudgetState =>
  taken(budget, { kind: 'settled', requestId: `s/${settled++}`, at: budget.at, ...over });

describe('what change control knows of an error budget', () => {
  test('is the worst of its objectives', () => {
    const budget = taken(undefined, measuredAt(MINUTE, { availability: 90, latency: 5 }));
    expect(budget).toMatchObject({ zone: 'red', since: MINUTE, former: 'unknown' });
    expect(budget.slos.map(({ zone }) => zone)).toEqual(['green', 'red']);
  });

  test('is not undone by a measurement that comes late', () => {
    const newer = budgetAfter(90, 5);
    expect(takeBudget(newer, measuredAt(MINUTE, { availability: 100 }))).toEqual({ late: true, budget: newer });
    expect(takeBudget(newer, { ...measuredAt(2 * MINUTE, { availability: 100 }), requestId: 'other' })).toEqual({
      late: true,
      budget: newer,
    });
  });

  test('is the same after the same message again', () => {
    const message = measuredAt(MINUTE, { availability: 5 });
    const once = takeBudget(undefined, message);
    expect(takeBudget(once.budget, message)).toEqual(once);
  });

  test('forgets an objective that the catalog no longer has', () => {
    const budget = taken(undefined, measuredAt(MINUTE, { availability: 90, latency: 5 }));
    expect(taken(budget, measuredAt(2 * MINUTE, { availability: 90 }))).toMatchObject({
      zone: 'green',
      former: 'red',
      since: 2 * MINUTE,
    });
  });

  test('keeps what followed until something else is known, and not what follows from an older measurement', () => {
    const red = budgetAfter(5);
    const workflow = { of: 'a/b/c.yml', state: 'disabled' as const };
    const done = settle(red, { told: toldOf(red, ['slack']), workflow });
    expect(done).toMatchObject({ told: { zone: 'red', channels: ['slack'] }, workflow });
    const next = taken(done, measuredAt(9 * MINUTE, { availability: 4 }));
    expect(next).toMatchObject({ told: { zone: 'red' }, workflow });
    expect(settle(next, { workflow: null })).not.toHaveProperty('workflow');
    expect(takeBudget(next, { kind: 'settled', requestId: 'x', at: MINUTE, workflow: null })).toEqual({
      late: true,
      budget: next,
    });
    expect(takeBudget(undefined, { kind: 'settled', requestId: 'x', at: 1 })).toEqual({ late: true });
  });

  test('keeps its zone and goes stale when it cannot be measured', () => {
    const blind = budgetAfter(5, undefined, undefined);
    expect(blind).toMatchObject({
      zone: 'red',
      since: MINUTE,
      slos: [{ remaining: 5, measuredAt: MINUTE, fault: 'no data' }],
    });
    expect(isStale(blind, 31 * MINUTE)).toBe(false);
    expect(isStale(blind, 31 * MINUTE + 1)).toBe(true);
    expect(describeBudget(blind, 32 * MINUTE)).toContain('Stale: it was last measured in full at');
  });
});

describe('who is told', () => {
  const channels = { notify: ['team'], stakeholders: ['board'] };
  test.each<[string, (number | undefined)[], string[]]>([
    ['nobody of a first zone that is green', [100], []],
    ['nobody of what was never measured', [undefined], []],
    ['the team of yellow', [100, 40], ['team']],
    ['the stakeholders too of red', [100, 5], ['team', 'board']],
  ])('%s', (_, left, told) => {
    expect(untold(budgetAfter(...left), channels)).toEqual(told);
  });

  test('stakeholders of the end of red, and each channel once', () => {
    const red = budgetAfter(5);
    const heard = settle(red, { told: toldOf(red, ['team']) });
    expect(untold(heard, channels)).toEqual(['board']);
    const all = settle(heard, { told: toldOf(heard, ['board']) });
    expect(untold(all, channels)).toEqual([]);
    const better = taken(all, measuredAt(5 * MINUTE, { availability: 40 }));
    const yellow = taken(better, measuredAt(36 * MINUTE, { availability: 40 }));
    expect(yellow).toMatchObject({ zone: 'yellow', former: 'red' });
    expect(untold(yellow, channels)).toEqual(['team', 'board']);
  });

  test('people once that it is stale, and once that it is measured again', () => {
    const known = budgetAfter(100);
    const stale = taken(known, measuredAt(40 * MINUTE, { availability: undefined }));
    expect([staleNews(known), staleNews(stale)]).toEqual([undefined, 'stale']);
    const heard = settle(stale, { told: { ...toldOf(stale, []), stale: true } });
    expect(staleNews(heard)).toBeUndefined();
    const again = taken(heard, measuredAt(41 * MINUTE, { availability: 100 }));
    expect(staleNews(again)).toBe('measured-again');
  });
});

describe('the workflow at GitHub', () => {
  test.each([
    ['red', 'red', 'disabled'],
    ['yellow', 'red', 'as-it-is'],
    ['yellow', 'yellow', 'disabled'],
    ['red', 'yellow', 'disabled'],
    ['green', 'yellow', 'enabled'],
    ['unknown', 'yellow', 'as-it-is'],
  ] as const)('in %s, when it is disabled in %s, shall be %s', (zone, disabledIn, wanted) => {
    expect(wantedOf(zone, disabledIn)).toBe(wanted);
  });

  test.each([
    [
      'is disabled, which is remembered before',
      'disabled',
      undefined,
      'active',
      { before: 'disabling', act: 'disable', after: 'disabled' },
    ],
    ['is disabled after a crash before it', 'disabled', 'disabling', 'active', { act: 'disable', after: 'disabled' }],
    ['is ours after a crash behind it', 'disabled', 'disabling', 'disabled_manually', { after: 'disabled' }],
    ['is left as it is once it is disabled', 'disabled', 'disabled', 'disabled_manually', {}],
    [
      'is enabled when it was disabled from here',
      'enabled',
      'disabled',
      'disabled_manually',
      { act: 'enable', after: null },
    ],
    ['is forgotten when somebody enabled it before', 'enabled', 'disabled', 'active', { after: null }],
    ['is forgotten when it was not disabled after all', 'enabled', 'disabling', 'active', { after: null }],
  ] as const)('%s', (_, wanted, memory, state, step) => {
    expect(workflowStep(wanted, memory, state)).toEqual(step);
  });

  test('that somebody else disabled is theirs', () => {
    expect(workflowStep('disabled', undefined, 'disabled_manually')).toMatchObject({
      after: 'found-disabled',
      left: expect.any(String),
    });
    expect(mustLook('enabled', 'found-disabled')).toBe(false);
  });

  test('that somebody enabled in spite of it is theirs too', () => {
    expect(workflowStep('disabled', 'disabled', 'active')).toMatchObject({
      after: 'left-enabled',
      left: expect.any(String),
    });
    expect(mustLook('disabled', 'left-enabled')).toBe(false);
  });
});

describe('words', () => {
  const red = budgetAfter(100, 4.5);
  const place = { system: 'shop', environment: 'production' };
  const recovery = { plan: 'Find the cause, fix it, then ship.', runbook: 'triage' };

  test('a notice says what is left, what it means, what lifts it and what to do', () => {
    const text = zoneNotice({ place, budget: red, recovery, evidence: 's3://e/1.md' });
    expect(text).toContain('Error budget of shop production is red (it was green): all releases are frozen');
    expect(text).toContain('availability has 4.5 % of its budget left');
    expect(text).toContain('It lifts when at least 20 % of the budget of availability were left for 30 min');
    expect(text).toContain('Recovery plan: Find the cause, fix it, then ship.');
    expect(text).toContain('windlass run shop production triage');
    expect(text).toContain('Evidence: s3://e/1.md');
  });

  test('the record has a line per objective and the recovery plan', () => {
    const text = zoneRecord({ place, budget: red, recovery });
    expect(text).toContain('| availability | red | 4.5 | 1 | 50 to 60 | 10 to 20 |');
    expect(text).toContain('## Recovery plan');
  });
});
