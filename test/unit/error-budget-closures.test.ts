import fc from 'fast-check';
import { budgetClosures } from '../../src/domain/budget/closures.ts';
import { admit, type ChangeRequest } from '../../src/domain/change/admission.ts';
import { budgetAfter, MINUTE } from '../support/budget.ts';

const green = budgetAfter(100);
const yellow = budgetAfter(40);
const red = budgetAfter(5);
const AT = 3 * MINUTE;
const verdict = (budget: typeof green | undefined, request: ChangeRequest) =>
  admit(request, AT, { closures: budgetClosures(budget, request, AT) });

test.each<[string, typeof green | undefined, ChangeRequest, string]>([
  ['a release where nothing is measured', undefined, { kind: 'deployment' }, 'admitted'],
  ['a release where it never could be measured', budgetAfter(undefined), { kind: 'deployment' }, 'admitted'],
  ['a release in green', green, { kind: 'deployment' }, 'admitted'],
  ['a release in yellow', yellow, { kind: 'deployment', service: 'web' }, 'refused'],
  ['a critical release in yellow', yellow, { kind: 'deployment', service: 'web', critical: true }, 'admitted'],
  ['a release of a critical service in yellow', yellow, { kind: 'deployment', service: 'checkout' }, 'admitted'],
  ['a release in red', red, { kind: 'deployment', service: 'web' }, 'refused'],
  ['a critical release in red', red, { kind: 'deployment', service: 'checkout', critical: true }, 'refused'],
  ['a window in red', red, { kind: 'maintenance' }, 'admitted'],
  ['a review in red', red, { kind: 'review' }, 'admitted'],
  ['a rollback in yellow', yellow, { kind: 'rollback' }, 'passes-by-break-glass'],
  ['a rollback in red', red, { kind: 'rollback' }, 'passes-by-break-glass'],
  ['an incident in red', red, { kind: 'incident' }, 'passes-by-break-glass'],
])('%s', (_, budget, request, expected) => {
  expect(verdict(budget, request).verdict).toBe(expected);
});

test('a release says nothing for itself where the catalog does not let it', () => {
  const strict = { ...yellow, critical: { services: [], onRequest: false } };
  expect(verdict(strict, { kind: 'deployment', critical: true }).verdict).toBe('refused');
});

test('a refusal names the objective, what is left and what lifts it', () => {
  const refused = verdict(red, { kind: 'deployment' });
  expect(refused).toMatchObject({ verdict: 'refused', rule: 'availability' });
  const { message } = refused as { message: string };
  expect(message).toContain('availability has 5 % of its budget left');
  expect(message).toContain('it lifts when at least 20 % of the budget of availability were left for 30 min');
  expect(message).not.toContain('Stale');
});

test('a zone that is stale still closes, and says so', () => {
  const [closure] = budgetClosures(red, { kind: 'deployment' }, 99 * MINUTE);
  expect(closure!.reason).toContain('Stale: it was last measured in full at');
});

test('whatever the zone, no urgent request is refused, and red admits no release', () => {
  const kinds = fc.constantFrom('review', 'maintenance', 'deployment', 'rollback', 'incident' as const);
  const left = fc.array(fc.option(fc.double({ min: -50, max: 100, noNaN: true }), { nil: undefined }), {
    minLength: 1,
  });
  fc.assert(
    fc.property(left, kinds, fc.boolean(), (measured, kind, critical) => {
      const budget = budgetAfter(...measured);
      const given = verdict(budget, { kind, critical }).verdict;
      if (kind === 'rollback' || kind === 'incident') return given !== 'refused';
      if (kind !== 'deployment') return given === 'admitted';
      return (given === 'refused') === (budget.zone === 'red' || (budget.zone === 'yellow' && !critical));
    }),
  );
});
