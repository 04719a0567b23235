import { admit, type Closure } from '../../src/domain/change/admission.ts';
import { PRIORITY } from '../../src/domain/lease/rules.ts';

const NOW = Date.parse('2026-12-24T12:00:00Z');
const FREEZE: Closure = { source: 'freeze', rule: 'christmas', reason: 'nobody is here', opens: NOW + 3_600_000 };
const BUDGET: Closure = { source: 'error-budget', rule: 'red', reason: 'the budget is spent' };

describe('admission', () => {
  test.each(Object.keys(PRIORITY) as (keyof typeof PRIORITY)[])('an open environment admits a %s', (kind) => {
    expect(admit({ kind }, NOW, { closures: [] })).toEqual({ verdict: 'admitted' });
  });

  test.each([
    ['review', 'admitted'],
    ['maintenance', 'refused'],
    ['deployment', 'refused'],
    ['rollback', 'passes-by-break-glass'],
    ['incident', 'passes-by-break-glass'],
  ] as const)('of a closed one a %s is %s', (kind, verdict) => {
    expect(admit({ kind }, NOW, { closures: [FREEZE] }).verdict).toBe(verdict);
  });

  test('a refusal names the rule, its reason and when it opens', () => {
    expect(admit({ kind: 'deployment' }, NOW, { closures: [FREEZE] })).toMatchObject({
      rule: 'christmas',
      opens: FREEZE.opens,
      message: 'closed to deployments by freeze christmas (nobody is here), which opens at 2026-12-24T13:00:00.000Z',
    });
  });

  test('what is closed by several opens with the last of them, and with none that does not say when', () => {
    const later = { ...FREEZE, rule: 'audit', opens: FREEZE.opens! + 1 };
    expect(admit({ kind: 'deployment' }, NOW, { closures: [FREEZE, later] })).toMatchObject({
      rule: 'audit',
      opens: later.opens,
      message: expect.stringMatching(/christmas.*; freeze audit/),
    });
    const refused = admit({ kind: 'deployment' }, NOW, { closures: [FREEZE, BUDGET] });
    expect(refused).toMatchObject({ rule: 'red', message: expect.stringContaining('error-budget red') });
    expect(refused).not.toHaveProperty('opens');
  });

  test('what has opened meanwhile closes nothing, as of that very moment', () => {
    expect(admit({ kind: 'deployment' }, FREEZE.opens! - 1, { closures: [FREEZE] }).verdict).toBe('refused');
    expect(admit({ kind: 'deployment' }, FREEZE.opens!, { closures: [FREEZE] })).toEqual({ verdict: 'admitted' });
  });

  test('a break-glass says what was passed', () => {
    expect(admit({ kind: 'rollback' }, NOW, { closures: [FREEZE, BUDGET] })).toMatchObject({
      reason: expect.stringMatching(/^rollback passes freeze christmas \(nobody is here\).*; error-budget red/),
      closures: [FREEZE, BUDGET],
    });
  });
});
