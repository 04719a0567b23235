import { setHandler, workflowInfo } from '@temporalio/workflow';
import { readForm } from '../../src/contracts/gate-form.ts';
import { decisionSchema, type Decision, type DecisionResult } from '../../src/contracts/gates.ts';
import type { Statement } from '../../src/contracts/statement.ts';
import { decideGate } from '../../src/domain/gate.ts';
import { judgeCriteria } from '../../src/domain/go-no-go.ts';
import { renderGates } from '../../src/domain/gate-details.ts';
import { withGrantedRoles, type Person } from '../../src/domain/gate-rights.ts';
import { expireGate, type GateState } from '../../src/domain/gate-state.ts';
import { viewGate } from '../../src/domain/gate-view.ts';
import { approve, decide, gates as gatesQuery, reject, retract, withdraw } from '../messages.ts';
import { announceBreakGlass } from './break-glass.ts';
import type { Procedure } from './procedure.ts';
import { openReception, type Credentials, type Reception } from './reception.ts';

/** Refused decisions of one run that are still explained one by one; a flood beyond it is counted only. */
const EXPLAINED_REFUSALS = 100;

/** The gates of a procedure: those that are asked now, or were asked last. */
export interface GateBoard {
  states: GateState[];
  asked?: { people: Person[]; requestedBy: string };
}

/**
 * Registers the messages that decide gates; called before the first `await`.
 * @returns where they are received: a gate does not expire while a decision that came in time is being verified
 */
export function takeDecisions(procedure: Procedure, board: GateBoard): Reception {
  const reception = openReception();
  let refused = 0;

  const take = (raw: unknown): DecisionResult | Promise<DecisionResult> => {
    const at = Date.now();
    const parsed = decisionSchema.safeParse(raw);
    if (!parsed.success) return tell(raw, MALFORMED);
    const decision = parsed.data;
    const settle = (given: Credentials): DecisionResult => tell(raw, answer(procedure, board, { decision, at, given }));
    const later = async (): Promise<DecisionResult> => settle(await reception.credentialsOf(decision, at));
    const answered = reception.inOrder(decision.statement !== undefined, { now: () => settle({}), later });
    // The end waits for it: an Update that is not answered fails with its run.
    if (answered instanceof Promise) procedure.beside('answer a decision', () => answered.then(() => undefined));
    return answered;
  };

  const tell = (raw: unknown, result: DecisionResult): DecisionResult => {
    if (result.code === 'recorded') procedure.record(`${describe(raw, result)}: ${result.message}`);
    // Whoever floods a gate must not keep others from deciding it: what counts is heard all the same.
    else if (refused++ >= EXPLAINED_REFUSALS) return FLOODED;
    else procedure.record(`decision without effect (${result.code}): ${result.message}`);
    return result;
  };

  setHandler(decide, take, {
    description:
      'Decide a gate: {"gate": "…", "decision": "approve", "reject", "retract" or "withdraw", "by": "…", "code": "…", "reason": "…", "fields": {…}}',
  });
  const signals = [
    [approve, 'approve', 'Approve a gate: {"gate": "…", "by": "…", "code": "…", "reason": "…", "fields": {…}}'],
    [reject, 'reject', 'Reject a gate: {"gate": "…", "by": "…", "code": "…", "reason": "…"}'],
    [retract, 'retract', 'Take your approval back while the gate waits: {"gate": "…", "by": "…", "code": "…"}'],
    [withdraw, 'withdraw', 'Withdraw what you asked for: {"gate": "…", "by": "…", "code": "…", "reason": "…"}'],
  ] as const;
  for (const [signal, decision, description] of signals)
    setHandler(signal, (raw) => void take(withDecision(raw, decision)), { description });
  setHandler(gatesQuery, () => board.states.map(viewGate), {
    description: 'Gates with their outcome, who decided and what to type',
  });
  procedure.setAppendix(() =>
    board.asked ? renderGates(board.states, workflowInfo().workflowId, { ...board.asked, at: Date.now() }) : '',
  );
  return reception;
}

const MALFORMED: DecisionResult = {
  code: 'malformed',
  message: 'Expected {"gate": "<name>", "by": "<who>", "code": "<as shown>"} and optionally "reason", "fields".',
};

const FLOODED: DecisionResult = {
  code: 'rate-limited',
  message:
    'Too many decisions without effect in this run: they are not explained any more. See the gates: windlass status.',
};

interface Received {
  decision: Decision;
  /** When; milliseconds since the epoch. */
  at: number;
  given: Credentials;
}

function answer(procedure: Procedure, board: GateBoard, { decision: said, at, given }: Received): DecisionResult {
  const index = board.states.findIndex(({ spec }) => spec.name === said.gate);
  const gate = board.states[index];
  if (!gate || !board.asked) {
    const open = board.states.map(({ spec }) => spec.name).join(', ');
    return { code: 'unknown-gate', message: `No gate ${said.gate} is open. Open: ${open || 'none'}.` };
  }
  if ('fault' in given) return { ...given.fault, gate: viewGate(expireGate(gate, at)) };
  const { decision, faults } = judged(gate, readFields(gate, said));
  const context = { ...whoIs(board.asked, decision, given), at, all: board.states, fieldFaults: faults };
  const decided = decideGate(gate, decision, context);
  board.states[index] = decided.gate;
  if (decided.gate.brokenGlass && !gate.brokenGlass) announceBreakGlass(procedure, decided.gate);
  return decided.result;
}

/** Who may decide, when the server has verified who does. */
function whoIs(asked: NonNullable<GateBoard['asked']>, { by }: Decision, { statement }: { statement?: Statement }) {
  if (!statement) return asked;
  const { how, identity, roles } = statement;
  return { ...asked, people: withGrantedRoles(asked.people, by, roles), verified: { how, ...identity } };
}

/** What was filled in, with the types that the form says. Without a form there is nothing to fill in. */
function readFields({ spec }: GateState, decision: Decision): { decision: Decision; faults: string[] } {
  const { fields = {} } = decision;
  if (!spec.form)
    return { decision, faults: Object.keys(fields).length === 0 ? [] : ['there is nothing to fill in here'] };
  const read = readForm(spec.form, fields);
  return 'faults' in read
    ? { decision, faults: read.faults }
    : { decision: { ...decision, fields: read.values }, faults: [] };
}

/** An approval whose answers speak against it is a rejection, with what they say as its reason. */
function judged(
  { spec }: GateState,
  read: { decision: Decision; faults: string[] },
): { decision: Decision; faults: string[] } {
  const { decision, faults } = read;
  if (!spec.criteria || decision.decision !== 'approve' || decision.breakGlass || faults.length > 0) return read;
  const judgement = judgeCriteria(spec.criteria, decision.fields ?? {});
  if (judgement.verdict === 'go') return read;
  if (judgement.verdict === 'unclear') return { decision, faults: judgement.faults };
  const reason = `no-go: ${judgement.because.join('; ')}`.slice(0, 1000);
  return { decision: { ...decision, decision: 'reject', reason }, faults };
}

const withDecision = (raw: unknown, decision: Decision['decision']): unknown =>
  typeof raw === 'object' && raw !== null ? { ...raw, decision } : raw;

const DID = { approve: 'approved', reject: 'rejected', retract: 'took the approval back', withdraw: 'withdrew it' };

function describe(raw: unknown, { gate }: DecisionResult): string {
  const { by, breakGlass, ...sent } = decisionSchema.parse(raw);
  // What it counts as: criteria may have made a rejection of an approval.
  const { for: delegator, fields = {}, decision, reason } = gate?.decisions?.at(-1) ?? { ...sent, for: undefined };
  const filled = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  const remarks = [...(reason ? [reason] : []), ...filled].join('; ');
  const did = breakGlass ? 'broke the glass' : DID[decision];
  return `${by}${delegator ? ` for ${delegator}` : ''} ${did}${remarks ? ` (${remarks})` : ''}`;
}
