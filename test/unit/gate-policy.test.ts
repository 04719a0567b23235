import { readForm, type GateForm } from '../../src/contracts/gate-form.ts';
import { decisionSchema, type Decision, type GateSpec } from '../../src/contracts/gates.ts';
import { decideGate, gateCode, openGate } from '../../src/domain/gate.ts';
import type { GateContext, Person } from '../../src/domain/gate-rights.ts';
import { expireGate, expiresAt, isPassed, isRefused, type GateState } from '../../src/domain/gate-state.ts';
import { describeRefusal, summarizeGate } from '../../src/domain/gate-view.ts';

const HOUR = 3_600_000;
const CODE = 'run-plan';
const SPEC: GateSpec = {
  name: 'lead',
  kind: 'approval',
  asks: 'Go?',
  roles: ['lead'],
  quorum: 1,
  fourEyes: true,
  expiresAfterMs: HOUR,
};
const until = (ms: number): string => new Date(ms).toISOString();
const people: Person[] = [
  { name: 'ana', roles: ['lead'], delegates: [{ to: 'dan', roles: ['lead'], until: until(HOUR / 2) }] },
  { name: 'bea', roles: ['lead'] },
  { name: 'dan', roles: ['devops'] },
  { name: 'kim', roles: ['lead', 'on-call'] },
  { name: 'vic', roles: ['vp'] },
];
const open = (over: Partial<GateSpec> = {}): GateState => openGate({ ...SPEC, ...over }, CODE, 0);
const say = (decision: Decision['decision'], by: string, over: Partial<Decision> = {}): Decision => ({
  ...{ gate: 'lead', decision, by, code: CODE },
  ...over,
});
const decide = (gate: GateState, decision: Decision, over: Partial<GateContext> = {}) =>
  decideGate(gate, decision, { at: 1000, people, requestedBy: 'kim', all: [gate], ...over });
const after = (gate: GateState, ...decisions: Decision[]): GateState =>
  decisions.reduce((at, decision) => decide(at, decision).gate, gate);

describe('a change of mind', () => {
  const TWO = { quorum: 2 };

  test('takes an approval back while the gate waits; both are kept in the record', () => {
    const gate = after(open(TWO), say('approve', 'ana'), say('retract', 'ana', { reason: 'saw the logs' }));
    expect(gate).toMatchObject({ outcome: 'waiting', approvals: [] });
    expect(gate.decisions.map(({ by, decision }) => `${by} ${decision}`)).toEqual(['ana approve', 'ana retract']);
    expect(after(gate, say('approve', 'bea'), say('approve', 'ana')).outcome).toBe('approved');
  });

  test('may be a rejection', () => {
    expect(after(open(TWO), say('approve', 'ana'), say('reject', 'ana')).outcome).toBe('rejected');
  });

  test('comes too late once the gate is decided', () => {
    const approved = after(open(), say('approve', 'ana'));
    const { gate, result } = decide(approved, say('retract', 'ana'));
    expect([gate, result.code]).toEqual([approved, 'already-decided']);
  });

  test('needs an approval to take back', () => {
    expect(decide(open(TWO), say('retract', 'ana')).result.code).toBe('not-approved');
  });

  test('cannot fill the history', () => {
    let gate = open(TWO);
    const codes = Array.from({ length: 200 }, (_, index) => {
      const { gate: next, result } = decide(gate, say(index % 2 === 0 ? 'approve' : 'retract', 'ana'));
      gate = next;
      return result.code;
    });
    expect(gate.decisions.length).toBeLessThan(60);
    expect(codes.at(-1)).toBe('rate-limited');
    expect(after(gate, say('reject', 'ana')).outcome).toBe('rejected');
  });

  test('is not known to a gate that older code opened', () => {
    const gate = openGate({ ...SPEC, quorum: 2 }, CODE, 0, { fixedVotes: true });
    expect(decide(after(gate, say('approve', 'ana')), say('reject', 'ana')).result.code).toBe('same-person');
    const late = decide(gate, say('approve', 'ana'), { at: HOUR });
    expect(late.gate).toBe(gate);
    expect(late.result).toMatchObject({ code: 'expired', gate: { outcome: 'expired' } });
  });
});

describe('a withdrawal', () => {
  test('is for who asked, with or without a role', () => {
    const gate = after(open(), say('withdraw', 'kim', { reason: 'wrong image' }));
    expect(gate).toMatchObject({ outcome: 'withdrawn', withdrawal: { by: 'kim', reason: 'wrong image' } });
    expect(isRefused(gate)).toBe(true);
    expect(describeRefusal(gate)).toBe('Gate lead was withdrawn by kim: wrong image.');
    const asked = decide(open(), say('withdraw', 'zoe'), { requestedBy: 'zoe' });
    expect(asked.result.code).toBe('recorded');
  });

  test.each([
    ['of somebody else', open(), 'kim'],
    ['of what nobody asked for', open(), ''],
    ['of a gate that others opened', open({ withdrawable: false }), 'ana'],
  ])('%s has no effect', (_what, gate, requestedBy) => {
    const { gate: same, result } = decide(gate, say('withdraw', 'ana'), { requestedBy });
    expect([same, result.code]).toEqual([gate, 'not-requester']);
  });
});

describe('silence', () => {
  const SECOND = { onExpiry: 'escalate' as const, escalation: { roles: ['vp'] } };

  test('opens a second period for the roles of the escalation, then the gate expires', () => {
    expect(decide(open(SECOND), say('approve', 'vic'), { at: HOUR - 1 }).result.code).toBe('wrong-role');
    const second = expireGate(open(SECOND), HOUR + 5);
    expect(second).toMatchObject({ outcome: 'waiting', escalatedAt: HOUR });
    expect(expiresAt(second)).toBe(2 * HOUR);
    expect(decide(second, say('approve', 'vic'), { at: HOUR + 10 }).gate.outcome).toBe('approved');
    expect(decide(second, say('approve', 'bea'), { at: HOUR + 10 }).gate.outcome).toBe('approved');
    expect(expireGate(second, 2 * HOUR).outcome).toBe('expired');
  });

  test('counts the same, whoever notices it first: the timer or a decision', () => {
    const byDecision = decide(open(SECOND), say('approve', 'vic'), { at: HOUR + 7 });
    expect(byDecision.gate).toMatchObject({ outcome: 'approved', escalatedAt: HOUR });
    expect(decide(open(SECOND), say('approve', 'vic'), { at: 2 * HOUR }).gate.outcome).toBe('expired');
  });

  test('lets the procedure go on where that is declared harmless, and is no approval', () => {
    const gate = expireGate(open({ onExpiry: 'continue', harmless: true }), HOUR);
    expect([gate.outcome, isPassed(gate), isRefused(gate)]).toEqual(['expired', true, false]);
    expect(summarizeGate(gate)).toBe('lead: expired, which was declared harmless');
    expect(decide(gate, say('approve', 'ana'), { at: HOUR }).result).toMatchObject({
      code: 'expired',
      message: 'Gate lead expired; the procedure goes on without it.',
    });
  });
});

describe('comments and forms', () => {
  const FORM: GateForm = {
    properties: {
      ticket: { type: 'string', description: 'Number of the change', minLength: 1, maxLength: 8 },
      users: { type: 'integer', minimum: 0, maximum: 100 },
      tested: { type: 'boolean', const: true },
      impact: { type: 'string', enum: ['none', 'low'], minLength: 1, maxLength: 1000 },
    },
    required: ['ticket', 'tested'],
  };

  test('a required comment is asked of approvals, never of a rejection', () => {
    const gate = open({ comment: 'required' });
    expect(decide(gate, say('approve', 'ana')).result.code).toBe('comment-required');
    expect(decide(gate, say('approve', 'ana', { reason: 'read the plan' })).gate.outcome).toBe('approved');
    expect(decide(gate, say('reject', 'ana')).gate.outcome).toBe('rejected');
  });

  test('fields that are wrong are answered without effect', () => {
    const gate = open();
    const { gate: same, result } = decide(gate, say('approve', 'ana'), { fieldFaults: ['ticket is missing'] });
    expect([same, result.code, result.message]).toEqual([gate, 'invalid-fields', 'Gate lead: ticket is missing.']);
    expect(decide(gate, say('reject', 'ana'), { fieldFaults: ['x'] }).gate.outcome).toBe('rejected');
  });

  test('texts count as the numbers and the yes or no that the form wants', () => {
    const typed = { ticket: '4711', users: '12', tested: 'true' };
    expect(readForm(FORM, typed)).toEqual({ values: { ticket: '4711', users: 12, tested: true } });
    expect(readForm(FORM, { ticket: 'A', tested: true })).toEqual({ values: { ticket: 'A', tested: true } });
  });

  test.each<[Record<string, string | number | boolean>, string]>([
    [{ tested: 'true' }, 'ticket is missing (Number of the change)'],
    [{ ticket: 'A', tested: 'false' }, 'tested: expected true'],
    [{ ticket: 'A', tested: 'yes' }, 'tested: expected true'],
    [{ ticket: 'A', tested: true, users: '101' }, 'users: expected number to be <=100'],
    [{ ticket: 'A', tested: true, users: '1.5' }, 'users: expected int, received number'],
    [{ ticket: '123456789', tested: true }, 'ticket: expected string to have <=8 characters (Number of the change)'],
    [{ ticket: 'A', tested: true, impact: 'huge' }, 'impact: expected one of "none"|"low"'],
    [{ ticket: 'A', tested: true, constructor: 'x' }, 'no field constructor; there is: ticket, users, tested, impact'],
  ])('%j is refused: %s', (given, fault) => {
    expect(readForm(FORM, given)).toEqual({ faults: [fault] });
  });

  test('what is filled in is bounded', () => {
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`f${index}`, 1]));
    expect(decisionSchema.safeParse(say('approve', 'ana', { fields: many })).success).toBe(false);
    const long = say('approve', 'ana', { fields: { text: 'x'.repeat(1001) } });
    expect(decisionSchema.safeParse(long).success).toBe(false);
  });
});

describe('a delegate', () => {
  test('decides with the role that was given, until the date, and the record says for whom', () => {
    const gate = after(open(), say('approve', 'dan'));
    expect(gate.approvals).toMatchObject([{ by: 'dan', for: 'ana' }]);
    expect(summarizeGate(gate)).toBe('lead: dan for ana');
    expect(decide(open(), say('approve', 'dan'), { at: HOUR / 2 - 1 }).result.code).toBe('recorded');
    expect(decide(open(), say('approve', 'dan'), { at: HOUR / 2 }).result.code).toBe('wrong-role');
  });

  test('is one human, whoever they decide for', () => {
    const once = after(open({ quorum: 2 }), say('approve', 'dan'));
    expect(decide(once, say('approve', 'dan')).result.code).toBe('same-person');
    expect(after(once, say('approve', 'ana')).outcome).toBe('approved');
    expect(decide(open(), say('approve', 'dan'), { requestedBy: 'dan' }).result.code).toBe('requester-excluded');
  });

  test('hands nothing on', () => {
    const chained = people.map((each) =>
      each.name === 'dan' ? { ...each, delegates: [{ to: 'vic', roles: ['lead'], until: until(HOUR) }] } : each,
    );
    expect(decide(open(), say('approve', 'vic'), { people: chained }).result.code).toBe('wrong-role');
  });
});

describe('a break-glass', () => {
  const GLASS = { breakGlass: { roles: ['on-call'], notify: ['ops'], reviewWithinMs: HOUR }, quorum: 2 };
  const why = { breakGlass: true, reason: 'checkout is down' };

  test('passes the gate alone, the requester too, and is recorded as such', () => {
    const gate = after(open({ ...GLASS, comment: 'required' }), say('approve', 'kim', why));
    expect(gate).toMatchObject({ outcome: 'approved', approvals: [], brokenGlass: { by: 'kim', reason: why.reason } });
    expect(gate.decisions).toMatchObject([{ decision: 'approve', breakGlass: true }]);
    expect(summarizeGate(gate)).toBe('lead: passed alone by kim (break-glass: checkout is down)');
  });

  test.each<[string, Partial<GateSpec>, Decision, string]>([
    ['where the gate allows none', {}, say('approve', 'kim', why), 'no-break-glass'],
    ['without the role', GLASS, say('approve', 'bea', why), 'wrong-role'],
    ['without a reason', GLASS, say('approve', 'kim', { breakGlass: true }), 'comment-required'],
    ['with too short a reason', GLASS, say('approve', 'kim', { ...why, reason: 'urgent!!!' }), 'comment-required'],
    ['with an old code', GLASS, say('approve', 'kim', { ...why, code: 'old' }), 'wrong-code'],
  ])('%s has no effect', (_how, spec, decision, code) => {
    const gate = open(spec);
    const { gate: same, result } = decide(gate, decision);
    expect([same, result.code]).toEqual([gate, code]);
  });

  test('needs an own role, not one that was given for a holiday', () => {
    const lent = [...people, { name: 'joe', roles: ['devops'] }].map((each) =>
      each.name === 'kim' ? { ...each, delegates: [{ to: 'joe', roles: ['on-call'], until: until(HOUR) }] } : each,
    );
    expect(decide(open(GLASS), say('approve', 'joe', why), { people: lent }).result.code).toBe('wrong-role');
  });

  test('counts for distinct people: who passed one gate alone does not approve the next', () => {
    const first = after(open({ ...GLASS, name: 'security' }), say('approve', 'kim', { ...why, gate: 'security' }));
    const second = open();
    const { result } = decide(second, say('approve', 'kim'), { requestedBy: 'ana', all: [first, second] });
    expect(result.code).toBe('same-person');
  });

  test('is an approval: no rejection breaks the glass', () => {
    expect(decisionSchema.safeParse(say('reject', 'kim', why)).success).toBe(false);
  });
});

test('a code is another one in the next round of the same run', () => {
  const [first, second] = [gateCode('run', 'sha256:aa'), gateCode('run', 'sha256:aa', 2)];
  expect(second).not.toBe(first);
  expect(gateCode('run', 'sha256:aa', 1)).toBe(first);
});
