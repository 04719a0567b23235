import fc from 'fast-check';
import type { Decision, DecisionResult, GateSpec } from '../../src/contracts/gates.ts';
import { decideGate, gateCode, openGate } from '../../src/domain/gate.ts';
import type { Person } from '../../src/domain/gate-rights.ts';
import { expireGate, isPassed, isRefused, withdrawGate, type GateState } from '../../src/domain/gate-state.ts';
import { bitsOf, must } from '../support/random-steps.ts';

// Random interleavings of everything that can happen to the gates of a procedure. A failure prints its seed, its path
// and the shortest interleaving that fails; WINDLASS_SEED=… repeats it.
const SEED = process.env['WINDLASS_SEED'];
const parameters = SEED === undefined ? {} : { seed: Number(SEED) };
const INTERLEAVINGS = 100_000;

const PERIOD = 1000;
const REQUESTER = 'kim';
const date = (ms: number): string => new Date(ms).toISOString();
const PEOPLE: Person[] = [
  { name: 'ana', roles: ['lead'], delegates: [{ to: 'dan', roles: ['lead'], until: date(PERIOD / 2) }] },
  {
    name: 'bea',
    roles: ['lead', 'security'],
    delegates: [{ to: 'kim', roles: ['security'], until: date(5 * PERIOD) }],
  },
  { name: 'dan', roles: ['dev'] },
  { name: 'kim', roles: ['lead', 'on-call'] },
  { name: 'vic', roles: ['vp', 'on-call'] },
];
const NAMES = [...PEOPLE.map(({ name }) => name), 'eve'];

type Event =
  | {
      kind: 'say';
      gate: number;
      decision: Decision['decision'];
      by: string;
      breakGlass: boolean;
      code: 'now' | 'former';
    }
  | { kind: 'timer' | 'reset' | 'crash' | 'end' };
type Step = Event & { afterMs: number };

interface Interleaving {
  specs: GateSpec[];
  steps: Step[];
}

function toSpecs(number: number): GateSpec[] {
  const take = bitsOf(number);
  return ['security', 'lead'].map((role): GateSpec => ({
    name: role,
    kind: 'approval',
    asks: 'Go?',
    roles: take(2) === 0 ? [role] : [role, 'lead'],
    quorum: 1 + take(2),
    fourEyes: take(4) > 0,
    expiresAfterMs: PERIOD,
    onExpiry: (['rejected', 'escalate', 'continue'] as const)[take(3)]!,
    escalation: { roles: ['vp'] },
    ...(take(2) === 0 ? { breakGlass: { roles: ['on-call'], notify: ['ops'], reviewWithinMs: PERIOD } } : {}),
  }));
}

const KINDS = [...Array<'say'>(14).fill('say'), 'timer', 'timer', 'reset', 'crash', 'crash', 'end'] as const;
const WORDS = [...Array<'approve'>(9).fill('approve'), 'retract', 'retract', 'reject', 'withdraw'] as const;

function toStep(number: number): Step {
  const take = bitsOf(number);
  const afterMs = [0, 1, 40, 180][take(4)]!;
  const kind = KINDS[take(KINDS.length)]!;
  if (kind !== 'say') return { kind, afterMs: kind === 'timer' ? 3 * afterMs : afterMs };
  const by = NAMES[take(NAMES.length)]!;
  const decision = WORDS[take(WORDS.length)]!;
  const breakGlass = take(8) === 0 && decision === 'approve';
  return { kind, gate: take(2), decision, by, breakGlass, code: take(10) === 0 ? 'former' : 'now', afterMs };
}

const MOST = 4 * KINDS.length * NAMES.length * WORDS.length * 8 * 2 * 10;
const interleavings = fc
  .tuple(fc.nat(2 ** 20), fc.array(fc.nat(MOST), { minLength: 1, maxLength: 16, size: 'max' }))
  .map(([specs, steps]): Interleaving => ({ specs: toSpecs(specs), steps: steps.map(toStep) }));

/** What a run of the procedure sees, in order: nothing else may matter to what becomes of its gates. */
type Input = { kind: 'decision'; at: number; gate: number; decision: Decision } | { kind: 'timer' | 'end'; at: number };

interface Run {
  code: string;
  openedAt: number;
  inputs: Input[];
  gates: GateState[];
}

const openRun = (specs: GateSpec[], id: number, at: number): Run => {
  const code = gateCode(`00000000-0000-0000-0000-${String(id).padStart(12, '0')}`, 'sha256:abcdef01');
  return { code, openedAt: at, inputs: [], gates: specs.map((spec) => openGate(spec, code, at)) };
};

function feed(gates: GateState[], input: Input): { gates: GateState[]; result?: DecisionResult } {
  if (input.kind !== 'decision') {
    const now = gates.map((gate) => expireGate(gate, input.at));
    // The procedure ends, by a cancellation: what still waits is not needed any more.
    return { gates: input.kind === 'end' ? now.map(withdrawGate) : now };
  }
  const { gate: index, decision } = input;
  const context = { at: input.at, people: PEOPLE, requestedBy: REQUESTER, all: gates };
  const { gate, result } = decideGate(gates[index]!, decision, context);
  return { gates: gates.map((each, at) => (at === index ? gate : each)), result };
}

/** What a worker finds out that replays the history of a run. */
const replay = ({ inputs, code, openedAt }: Run, specs: GateSpec[]): GateState[] =>
  inputs.reduce<GateState[]>(
    (gates, input) => feed(gates, input).gates,
    specs.map((spec) => openGate(spec, code, openedAt)),
  );

const same = (left: unknown, right: unknown): boolean =>
  left === right || JSON.stringify(left) === JSON.stringify(right);

/** Who may decide, said once more and differently. */
function mayDecide(by: string, { spec, openedAt }: GateState, at: number): boolean {
  const second = spec.onExpiry === 'escalate' && at >= openedAt + PERIOD;
  const roles = second ? [...spec.roles, 'vp'] : spec.roles;
  const own = PEOPLE.find(({ name }) => name === by)?.roles ?? [];
  const given = by === 'dan' && at < PERIOD / 2 ? ['lead'] : by === 'kim' && at < 5 * PERIOD ? ['security'] : [];
  return [...own, ...given].some((role) => roles.includes(role));
}

const deadlineOf = ({ spec, openedAt }: GateState): number =>
  openedAt + (spec.onExpiry === 'escalate' ? 2 : 1) * PERIOD;

/** What must hold of a gate at any time, whatever happened. */
function checkGate(gate: GateState, all: GateState[]): void {
  const { spec, decisions, outcome } = gate;
  const standing = decisions.reduce<string[]>(
    (people, { by, decision, breakGlass }) =>
      decision === 'approve' && !breakGlass
        ? [...people, by]
        : people.filter((each) => each !== by || decision !== 'retract'),
    [],
  );
  must(
    standing.length === gate.approvals.length && gate.approvals.every(({ by }, index) => by === standing[index]),
    'approvals are what was approved and not retracted',
  );
  must(new Set(standing).size === standing.length, 'people are distinct');
  for (const { by, at, for: delegator } of gate.approvals) {
    must(mayDecide(by, gate, at), `${by} had a right to approve`);
    must(!spec.fourEyes || by !== REQUESTER, 'with four eyes the requester is not among the approvers');
    must(delegator === undefined || delegator !== by, 'nobody is their own delegate');
  }
  if (spec.fourEyes)
    for (const other of all)
      must(
        other === gate || !other.spec.fourEyes || !other.approvals.some(({ by }) => standing.includes(by)),
        'with four eyes nobody approves two gates',
      );
  const finals = decisions.filter(
    ({ decision, breakGlass }) => breakGlass || ['reject', 'withdraw'].includes(decision),
  );
  must(finals.length <= 1 && (finals.length === 0 || finals[0] === decisions.at(-1)), 'what decides comes last');
  for (const { at } of decisions) must(at < deadlineOf(gate), 'nothing is recorded once the gate expired');

  const broken = finals.some(({ breakGlass }) => breakGlass);
  must(broken === (gate.brokenGlass !== undefined), 'a break-glass is recorded as such');
  if (broken)
    must(
      spec.breakGlass !== undefined && ['kim', 'vic'].includes(gate.brokenGlass!.by),
      'the glass was broken by right',
    );
  must(
    (outcome === 'approved') === (broken || standing.length >= spec.quorum),
    'approved only by quorum or break-glass',
  );
  must((outcome === 'rejected') === finals.some(({ decision }) => decision === 'reject'), 'rejected only by a person');
  if (finals.some(({ decision }) => decision === 'withdraw'))
    must(outcome === 'withdrawn' && gate.withdrawal?.by === REQUESTER, 'withdrawn by the requester');
  must(outcome === 'waiting' || isPassed(gate) !== isRefused(gate), 'a decided gate is passed or refused');
}

/** What must hold between a gate before and after one input. */
function checkStep(before: GateState, after: GateState, decision: Decision | undefined, result?: DecisionResult): void {
  if (before.outcome !== 'waiting') must(same(before, after), 'an outcome is never changed');
  must(
    before.decisions.every((each, index) => each === after.decisions[index]),
    'no recorded decision is lost',
  );
  must(
    after.decisions.length - before.decisions.length === (result?.code === 'recorded' ? 1 : 0),
    'recorded is in the record',
  );
  if (!decision || !result) return;
  must(result.gate?.outcome === after.outcome, 'the answer has the outcome of the gate');
  if (result.code === 'recorded') must(decision.code === after.code, 'a decision of another run has no effect');
}

function check({ specs, steps }: Interleaving): void {
  let at = 0;
  let runs = 1;
  let run = openRun(specs, runs, at);
  let former = gateCode('00000000-0000-0000-0000-000000000000', 'sha256:abcdef01');
  for (const step of steps) {
    at += step.afterMs;
    if (step.kind === 'reset') {
      former = run.code;
      run = openRun(specs, ++runs, at);
      continue;
    }
    if (step.kind === 'crash') {
      const again = replay(run, specs);
      must(same(again, run.gates), 'a replay gives the same state');
      run.gates = again;
      continue;
    }
    const input = toInput(step, run, former, at);
    const before = run.gates;
    const { gates, result } = feed(before, input);
    run.inputs.push(input);
    run.gates = gates;
    gates.forEach((gate, index) => {
      const mine = input.kind === 'decision' && input.gate === index;
      checkStep(before[index]!, gate, mine ? input.decision : undefined, mine ? result : undefined);
      if (gate.outcome === 'expired' && before[index]!.outcome === 'waiting')
        must(at >= deadlineOf(gate), 'a gate expires when its time is over');
      // One that is still the same object was checked before.
      if (gate !== before[index]) checkGate(gate, gates);
    });
  }
}

function toInput(step: Step, { code, gates }: Run, former: string, at: number): Input {
  if (step.kind !== 'say') return { at, kind: step.kind === 'end' ? 'end' : 'timer' };
  const decision: Decision = {
    gate: gates[step.gate]!.spec.name,
    decision: step.decision,
    by: step.by,
    code: step.code === 'now' ? code : former,
    ...(step.breakGlass ? { breakGlass: true, reason: 'checkout is down' } : {}),
  };
  return { at, kind: 'decision', gate: step.gate, decision };
}

test(`${INTERLEAVINGS} random interleavings: one outcome, never changed, nothing lost, nobody counted who may not be`, () => {
  fc.assert(fc.property(interleavings, check), { numRuns: INTERLEAVINGS, ...parameters });
}, 60_000);

test('the interleavings come to every outcome, and to every answer', () => {
  const outcomes = new Map<string, number>();
  const codes = new Map<string, number>();
  const count = (of: Map<string, number>, key: string) => of.set(key, (of.get(key) ?? 0) + 1);
  for (const { specs, steps } of fc.sample(interleavings, { numRuns: 5_000, seed: 1 })) {
    const run = openRun(specs, 1, 0);
    let at = 0;
    for (const step of steps) {
      at += step.afterMs;
      const { gates, result } = feed(run.gates, toInput(step, run, 'former', at));
      run.gates = gates;
      if (result) count(codes, result.code);
    }
    run.gates.forEach(({ outcome, brokenGlass }) => count(outcomes, brokenGlass ? 'break-glass' : outcome));
  }
  // Each often enough that a hundred thousand of them mean something.
  const seen = [...outcomes].filter(([, times]) => times > 100).map(([outcome]) => outcome);
  expect(seen.sort()).toEqual(['approved', 'break-glass', 'expired', 'rejected', 'waiting', 'withdrawn']);
  const answers = [
    'recorded',
    'already-decided',
    'expired',
    'wrong-code',
    'wrong-role',
    'unknown-person',
    'same-person',
  ];
  const more = ['requester-excluded', 'not-approved', 'not-requester', 'no-break-glass'];
  expect([...codes.keys()]).toEqual(expect.arrayContaining([...answers, ...more]));
});

const people = fc.array(fc.constantFrom('ana', 'bea', 'cleo', 'dora', 'eve', REQUESTER), { maxLength: 30 });
const LEADS: Person[] = ['ana', 'bea', 'cleo', 'dora', REQUESTER].map((name) => ({ name, roles: ['lead'] }));
/** The gate after approvals of these people, and the answers to them. */
function approvedBy(votes: string[], over: Partial<GateSpec>): { gate: GateState; codes: string[] } {
  let gate = openGate({ ...toSpecs(0)[0]!, roles: ['lead'], ...over }, 'code', 0);
  const codes = votes.map((by) => {
    const decision: Decision = { gate: gate.spec.name, decision: 'approve', by, code: 'code' };
    const decided = decideGate(gate, decision, { at: 1, people: LEADS, requestedBy: REQUESTER, all: [gate] });
    gate = decided.gate;
    return decided.result.code;
  });
  return { gate, codes };
}

test('a quorum is reached by exactly so many distinct people who may decide, in whatever order they come', () => {
  const property = fc.property(people, fc.integer({ min: 1, max: 4 }), (votes, quorum) => {
    const able = votes.filter((by, index) => by !== 'eve' && by !== REQUESTER && votes.indexOf(by) === index);
    const { gate, codes } = approvedBy(votes, { quorum, fourEyes: true });
    expect(gate.outcome).toBe(able.length >= quorum ? 'approved' : 'waiting');
    expect(gate.approvals.map(({ by }) => by)).toEqual(able.slice(0, quorum));
    expect(codes.filter((code) => code === 'recorded')).toHaveLength(Math.min(able.length, quorum));
  });
  fc.assert(property, { numRuns: 1_000, ...parameters });
});

test('four eyes: the requester counts where they are not required, and never where they are', () => {
  const property = fc.property(people, fc.boolean(), (votes, fourEyes) => {
    const { gate } = approvedBy(votes, { quorum: 3, fourEyes });
    const able = [...new Set(votes)].filter((by) => by !== 'eve');
    const counted = gate.approvals.some(({ by }) => by === REQUESTER);
    expect(counted).toBe(!fourEyes && able.slice(0, 3).includes(REQUESTER));
  });
  fc.assert(property, { numRuns: 1_000, ...parameters });
});
