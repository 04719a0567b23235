import { outline } from '../../src/catalog/runbook-outline.ts';
import { toGateSpec } from '../../src/domain/gate.ts';
import { composePlan, type PlannedStep } from '../../src/domain/runbook/plan.ts';
import { sliceOf, worldOf } from '../support/runbook.ts';

const YAML = `
main:
  description: Changes many things
  changes: [service]
  parameters:
    count: { type: int, description: how many }
    more: { type: bool, default: false, description: whether }
  steps:
    - gate: { name: first, asks: 'Set a to \${parameters.count}?', roles: [lead] }
    - { name: setA, action: set, with: { key: a, value: '\${parameters.count}' }, undo: own }
    - { action: look, with: { key: a } }
    - { action: set, with: { key: b, value: '\${steps.setA.output.after}' } }
    - { when: parameters.more, action: set, with: { key: c, value: 1 } }
    - gate: { name: second, asks: 'Was it \${steps.setA.output.before}?', roles: [lead] }
    - wait: 10m
    - parallel:
        - { action: note, with: { key: '\${catalog.service}' }, undo: { action: note, with: { key: back } } }
        - until: { action: look, with: { key: a }, is: output.value > 1, within: 10m, holdsFor: 1m }
    - { name: inner, runbook: inner, with: { key: '\${alert.labels.key}' } }
    - { runbook: inner, with: { key: '\${string(steps.setA.output.after)}' } }
inner:
  description: Inner
  parameters: { key: { description: which } }
  steps: [{ action: note, with: { key: '\${parameters.key}' } }]
`;

const slice = sliceOf(worldOf(YAML), { runbook: 'main', service: 'shop', parameters: { count: 3 } });
const alert = { labels: { key: 'k' }, annotations: {} };

test('what a run comes to is known as far as nothing depends on what earlier steps find', () => {
  expect(outline(slice, { alert })).toMatchObject([
    { kind: 'gate', label: '1', gate: { name: 'first', asks: 'Set a to 3?' } },
    { kind: 'change', label: 'setA', call: { action: 'set', with: { key: 'a', value: 3 } }, undone: true },
    { kind: 'later', label: '4', what: 'set', undone: false, leased: true },
    { kind: 'gate', label: '6', gate: { name: 'second', asks: 'Was it ${steps.setA.output.before}?' } },
    { kind: 'time', label: '7', atLeastMs: 600_000 },
    { kind: 'change', label: '8.1', call: { action: 'note', with: { key: 'shop' } }, undone: true },
    { kind: 'time', label: '8.2', atLeastMs: 60_000 },
    { kind: 'change', label: 'inner/1', call: { action: 'note', with: { key: 'k' } } },
    { kind: 'later', label: '10/1', what: 'note' },
  ]);
});

test('an expression without a value is refused before anything changes', () => {
  expect(() => outline(slice, {})).toThrow('No such key: key');
});

test('other people are asked by the severity of the incident, and the strict ones when there is none', () => {
  const yaml = `
agreed:
  description: Asks by severity
  steps:
    - gate: { name: on-call, asks: 'Now?', roles: [lead] }
      when: incident.severity == 'P0'
    - gate: { name: leads, asks: 'Really?', roles: [lead] }
      when: incident.severity != 'P0'
`;
  const asked = (severity?: string) => {
    const steps = outline(
      sliceOf(worldOf(yaml), { runbook: 'agreed', parameters: {} }),
      severity === undefined ? {} : { severity },
    );
    return steps.flatMap((step) => (step.kind === 'gate' ? [step.gate.name] : []));
  };
  expect([asked('P0'), asked('P1'), asked()]).toEqual([['on-call'], ['leads'], ['leads']]);
});

describe('a plan', () => {
  const gate = (name: string, label: string): PlannedStep => ({
    kind: 'gate',
    label,
    spec: toGateSpec({
      name,
      kind: 'approval',
      asks: 'Go?',
      roles: ['lead'],
      quorum: 1,
      fourEyes: true,
      expiresAfter: 1,
    }),
  });
  const change = (label: string, undone: boolean): PlannedStep => ({
    kind: 'change',
    label,
    action: 'set',
    lines: [`${label}: 0 → 1`],
    undone,
    leased: true,
  });

  test('says what each step would do, and tells gates before the first change from later ones', () => {
    const plan = composePlan(slice, [
      gate('first', '1'),
      change('setA', true),
      { kind: 'later', label: '4', what: 'set', undone: false, leased: true },
      gate('second', '6'),
      { kind: 'unclear', label: '7', action: 'note', why: 'no pod yet', undone: false, leased: true },
      { kind: 'time', label: '8', atLeastMs: 600_000 },
    ]);
    expect(plan.changes).toEqual([
      { verb: 'run', kind: 'step', name: 'setA (set)', why: 'setA: 0 → 1' },
      { verb: 'run', kind: 'step', name: '4 (set)', why: 'decided when it is reached, by what earlier steps find' },
      { verb: 'run', kind: 'step', name: '7 (note)', why: 'cannot be planned now' },
    ]);
    expect(plan.gates.map(({ name }) => name)).toEqual(['first']);
    expect(plan.facts).toContainEqual({ label: 'asks later', text: 'second (approval by lead) at step 6: Go?' });
    expect(plan.warnings).toEqual(['step 7 (note) cannot be planned now: no pod yet']);
    expect(plan.blastRadius).toBe('shop in local of test (context local, namespace shop)');
    expect(plan.reversibility).toBe('taken back when a later step fails or somebody aborts, except 4, 7');
    expect(plan.expectedDurationMs).toBeGreaterThanOrEqual(600_000);
  });

  test.each([
    [[change('a', true)], 'every change is taken back when a later step fails or somebody aborts'],
    [[change('a', false)], 'no change is taken back by itself'],
    [[gate('a', '1')], 'nothing changes'],
  ])('says what is taken back', (steps, words) => {
    expect(composePlan(slice, steps).reversibility).toBe(words);
  });

  test('of a step with very many changes says how many it does not show', () => {
    const lines = Array.from({ length: 25 }, (_, index) => `line ${index}`);
    const { changes } = composePlan(slice, [
      { kind: 'change', label: 'a', action: 'set', lines, undone: true, leased: true },
    ]);
    expect(changes).toHaveLength(21);
    expect(changes.at(-1)).toMatchObject({ why: 'and 5 more' });
  });

  test('that names a step which cannot work is refused', () => {
    const refusal = { code: 'Forbidden', message: 'step a (set): no' };
    expect(composePlan(slice, [{ kind: 'refused', label: 'a', action: 'set', refusal }]).refusals).toEqual([refusal]);
  });
});
