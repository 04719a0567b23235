import type { Decision, GateSpec } from '../../src/contracts/gates.ts';
import { decideGate, gateCode, openGate } from '../../src/domain/gate.ts';
import { expireGate, type GateState } from '../../src/domain/gate-state.ts';

const HOUR = 3_600_000;
const spec = (over: Partial<GateSpec> = {}): GateSpec => ({
  name: 'security',
  kind: 'approval',
  asks: 'Is it safe?',
  roles: ['security'],
  quorum: 1,
  fourEyes: true,
  expiresAfterMs: HOUR,
  ...over,
});
const people = [
  { name: 'sam', roles: ['security'] },
  { name: 'sue', roles: ['security', 'devops'] },
  { name: 'dan', roles: ['devops'] },
  { name: 'ana', roles: ['security', 'engineering-lead'] },
];
const CODE = gateCode('01a214ca-5dd0-7c3a-a4b9-52c0e0d1f7a1', 'sha256:ab12cd34ffff');
const yes = (by: string, over: Partial<Decision> = {}): Decision => ({
  gate: 'security',
  decision: 'approve',
  by,
  code: CODE,
  ...over,
});
const decide = (
  gate: GateState,
  decision: Decision,
  all: GateState[] = [gate],
  at = 1000,
): ReturnType<typeof decideGate> => decideGate(gate, decision, { at, people, requestedBy: 'ana', all });

describe('a gate', () => {
  test('is approved by one person with the role', () => {
    const { gate, result } = decide(openGate(spec(), CODE, 0), yes('sam', { reason: 'scanned' }));
    expect(gate.outcome).toBe('approved');
    expect(gate.approvals).toEqual([{ by: 'sam', at: 1000, reason: 'scanned' }]);
    expect(result.code).toBe('recorded');
  });

  test('waits until its quorum of distinct people is reached', () => {
    const first = decide(openGate(spec({ quorum: 2 }), CODE, 0), yes('sam')).gate;
    expect(first.outcome).toBe('waiting');
    expect(decide(first, yes('sam')).result.code).toBe('same-person');
    expect(decide(first, yes('sue')).gate.outcome).toBe('approved');
  });

  test('is rejected by one person, and the first decision wins', () => {
    const rejected = decide(openGate(spec(), CODE, 0), yes('sam', { decision: 'reject' })).gate;
    expect(rejected.outcome).toBe('rejected');
    const late = decide(rejected, yes('sue'));
    expect(late.result.code).toBe('already-decided');
    expect(late.gate).toBe(rejected);
  });

  test.each<[string, Decision, string]>([
    ['somebody whom the catalog does not list', yes('eve'), 'unknown-person'],
    ['somebody without the role', yes('dan'), 'wrong-role'],
    ['the requester, where four eyes are required', yes('ana'), 'requester-excluded'],
    [
      // The two ids begin alike, as those of runs of the same minute do.
      'a decision with the code of another run',
      yes('sam', { code: gateCode('01a214ca-71e2-7b11-9d2e-0f8e5d3c2b1a', 'sha256:ab12cd34') }),
      'wrong-code',
    ],
    [
      'a decision with the code of another plan',
      yes('sam', { code: gateCode('7f3a91c2-0', 'sha256:00000000') }),
      'wrong-code',
    ],
  ])('answers %s without effect', (_who, decision, code) => {
    const gate = openGate(spec(), CODE, 0);
    const answered = decide(gate, decision);
    expect(answered.result.code).toBe(code);
    expect(answered.gate).toBe(gate);
  });

  test('lets the requester reject: four eyes protect against approving alone', () => {
    expect(decide(openGate(spec(), CODE, 0), yes('ana', { decision: 'reject' })).gate.outcome).toBe('rejected');
  });

  test('lets the requester approve where four eyes are not required', () => {
    expect(decide(openGate(spec({ fourEyes: false }), CODE, 0), yes('ana')).gate.outcome).toBe('approved');
  });

  test('does not take one person for two gates of a procedure', () => {
    const security = decide(openGate(spec(), CODE, 0), yes('sue')).gate;
    const devops = openGate(spec({ name: 'devops', roles: ['devops'] }), CODE, 0);
    const again = decide(devops, yes('sue', { gate: 'devops' }), [security, devops]);
    expect(again.result.code).toBe('same-person');
    expect(decide(devops, yes('dan', { gate: 'devops' }), [security, devops]).gate.outcome).toBe('approved');
  });

  test('expires exactly when its time is over, and a later decision has no effect', () => {
    const gate = openGate(spec(), CODE, 0);
    expect(expireGate(gate, HOUR - 1).outcome).toBe('waiting');
    expect(expireGate(gate, HOUR).outcome).toBe('expired');
    expect(decide(gate, yes('sam'), [gate], HOUR).result.code).toBe('expired');
  });

  test('does not expire once it is approved', () => {
    const approved = decide(openGate(spec(), CODE, 0), yes('sam')).gate;
    expect(expireGate(approved, 2 * HOUR).outcome).toBe('approved');
  });
});
