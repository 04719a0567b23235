import { gateProblems } from '../../src/catalog/gate-problems.ts';
import { gate as gateSchema } from '../../src/contracts/catalog-parts.ts';
import { systemSchema } from '../../src/contracts/catalog.ts';
import { readForm } from '../../src/contracts/gate-form.ts';
import { toGateSpec } from '../../src/domain/gate.ts';
import { judgeCriteria } from '../../src/domain/go-no-go.ts';
import { RELEASE_CRITERIA as CRITERIA } from '../support/release-criteria.ts';

const GATE = gateSchema.parse({ name: 'go-no-go', asks: 'Go or no-go?', roles: ['lead'], criteria: CRITERIA });
const SPEC = toGateSpec(GATE);
const NAMES = [...Object.keys(CRITERIA.go), ...Object.keys(CRITERIA.noGo)];
const GO = Object.fromEntries(NAMES.map((name) => [name, `${name in CRITERIA.go ? 'yes' : 'no'}: see run ${name}`]));

describe('go or no-go', () => {
  test('the form asks for every one of the 12 criteria with its evidence', () => {
    expect(SPEC.form!.required).toEqual(NAMES);
    expect(SPEC.form!.properties['scans']!.description).toMatch(/^Go needs yes: Security scans passed\. Answer "yes: /);
    expect(SPEC.form!.properties['dependencies']!.description).toMatch(/^No-go if yes: External dependencies down\. /);
    expect(readForm(SPEC.form!, { ...GO, tests: '' })).toHaveProperty('faults');
  });

  test('all seven that are so and none of the five: go', () => {
    expect(readForm(SPEC.form!, GO)).toEqual({ values: GO });
    expect(judgeCriteria(CRITERIA, GO)).toEqual({ verdict: 'go' });
  });

  test.each(NAMES)('%s alone turns it into a no-go, with what was found', (name) => {
    const wrong = name in CRITERIA.go ? 'no: it failed' : 'yes: CVE-1';
    const text = { ...CRITERIA.go, ...CRITERIA.noGo }[name];
    expect(judgeCriteria(CRITERIA, { ...GO, [name]: wrong })).toEqual({
      verdict: 'no-go',
      because: [`${text}: ${wrong.replace(': ', ', ')}`],
    });
  });

  test.each(['yes', 'yes:  ', 'done: run 7', 'true', ''])('"%s" is no answer: there is no evidence in it', (answer) => {
    expect(judgeCriteria(CRITERIA, { ...GO, tests: answer })).toEqual({
      verdict: 'unclear',
      faults: [expect.stringMatching(/^tests: expected "yes: <evidence>"/)],
    });
  });
});

describe('criteria in the catalog', () => {
  const catalog = systemSchema.parse({
    ...{ apiVersion: 'windlass/v1', system: 'small', description: 'small', services: {} },
    environments: { here: { cluster: { context: 'here' }, namespace: 'small' } },
    people: [{ name: 'ana', roles: ['lead'] }],
  });
  const faults = (over: object): string[] =>
    gateProblems(catalog, gateSchema.parse({ ...GATE, expiresAfter: '1h', ...over }), [], 'changes').map(
      ({ path, message }) => `${path.join('.')}: ${message}`,
    );

  test.each([
    ['those of the runbook', {}, []],
    ['none', { criteria: {} }, [/^criteria: expected 1 to 20 criteria, got 0/]],
    [
      'one name twice',
      { criteria: { go: { tests: 'a' }, noGo: { tests: 'b' } } },
      [/^criteria.noGo.tests: expected another/],
    ],
    [
      'beside a form',
      { form: { properties: { ticket: { type: 'string' } } } },
      [/^criteria: expected "criteria" or "form"/],
    ],
  ])('%s: the faults are named', (_, over, expected) => {
    expect(faults(over)).toEqual(expected.map((each) => expect.stringMatching(each)));
  });
});
