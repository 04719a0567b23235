import type { CatalogGate } from '../contracts/catalog-parts.ts';
import type { Decision, DecisionResult, GateSpec } from '../contracts/gates.ts';
import { faultOf, rightOf, rolesOfGate, type GateContext } from './gate-rights.ts';
import { expireGate, type GateState, type Vote } from './gate-state.ts';
import { viewGate } from './gate-view.ts';
import { runMark } from './run-mark.ts';
import { formOfCriteria } from './go-no-go.ts';

/** A gate of the catalog as a procedure opens it. */
export function toGateSpec(gate: CatalogGate): GateSpec {
  const { expiresAfter, escalation, remindEvery, breakGlass, environments: _, ...rest } = gate;
  return {
    ...(rest as Omit<GateSpec, 'expiresAfterMs'>),
    expiresAfterMs: expiresAfter,
    ...(escalation
      ? {
          escalation: {
            roles: escalation.roles,
            ...(escalation.after === undefined ? {} : { afterMs: escalation.after }),
          },
        }
      : {}),
    ...(gate.criteria ? { form: formOfCriteria(gate.criteria) } : {}),
    ...(remindEvery === undefined ? {} : { remindEveryMs: remindEvery }),
    ...(breakGlass
      ? { breakGlass: { roles: breakGlass.roles, notify: breakGlass.notify, reviewWithinMs: breakGlass.reviewWithin } }
      : {}),
  };
}

export function openGate(spec: GateSpec, code: string, at: number, { fixedVotes = false } = {}): GateState {
  const gate: GateState = { spec, code, openedAt: at, outcome: 'waiting', approvals: [], decisions: [] };
  return fixedVotes ? { ...gate, fixedVotes } : gate;
}

/**
 * The code of a gate: short enough to type, and different for another run (a reset) or another plan, and for another
 * round of one run: a message that is sent twice must not decide the next gate of the same name.
 */
export function gateCode(runId: string, digest: string, round = 1): string {
  const code = `${runMark(runId)}-${digest.replace(/^sha256:/, '').slice(0, 8)}`;
  return round === 1 ? code : `${code}-${round}`;
}

/**
 * What one decision does to a gate. The first outcome stays; whatever cannot count is answered, not thrown, because
 * what an Update validator rejects would leave no trace in the history. The answer shows the gate with the outcome it
 * has at that time.
 */
export function decideGate(
  given: GateState,
  decision: Decision,
  context: GateContext,
): { gate: GateState; result: DecisionResult } {
  const now = expireGate(given, context.at);
  const gate = given.fixedVotes ? given : now;
  const fault = faultOfOutcome(now) ?? faultOf(gate, decision, context);
  if (fault) return { gate, result: { ...fault, gate: viewGate(now) } };
  const decided = apply(gate, decision, toVote(gate, decision, context));
  return { gate: decided, result: { code: 'recorded', message: outcomeText(decided), gate: viewGate(decided) } };
}

function toVote(gate: GateState, { by, decision, reason, fields }: Decision, context: GateContext): Vote {
  const needsRight = decision === 'approve' || decision === 'reject';
  const right = needsRight ? rightOf(by, rolesOfGate(gate), context) : undefined;
  const { at, verified } = context;
  return {
    ...{ by, at },
    ...(reason ? { reason } : {}),
    ...right,
    ...(fields ? { fields } : {}),
    ...(verified ? { verified } : {}),
  };
}

function apply(before: GateState, { decision, breakGlass }: Decision, vote: Vote): GateState {
  const broken = decision === 'approve' && breakGlass === true;
  const gate = {
    ...before,
    decisions: [...before.decisions, { decision, ...vote, ...(broken ? { breakGlass: true as const } : {}) }],
  };
  if (broken) return { ...gate, outcome: 'approved', brokenGlass: vote };
  if (decision === 'reject') return { ...gate, outcome: 'rejected', rejection: vote };
  if (decision === 'withdraw') return { ...gate, outcome: 'withdrawn', withdrawal: vote };
  if (decision === 'retract') return { ...gate, approvals: gate.approvals.filter(({ by }) => by !== vote.by) };
  const approvals = [...gate.approvals, vote];
  return { ...gate, approvals, outcome: approvals.length >= gate.spec.quorum ? 'approved' : 'waiting' };
}

function faultOfOutcome({ spec, outcome }: GateState): Pick<DecisionResult, 'code' | 'message'> | undefined {
  if (outcome === 'waiting') return undefined;
  if (outcome !== 'expired') return { code: 'already-decided', message: `Gate ${spec.name} is already ${outcome}.` };
  return {
    code: 'expired',
    message:
      spec.onExpiry === 'continue'
        ? `Gate ${spec.name} expired; the procedure goes on without it.`
        : `Gate ${spec.name} expired; start the procedure again.`,
  };
}

function outcomeText(gate: GateState): string {
  if (gate.outcome === 'waiting')
    return `Gate ${gate.spec.name}: ${gate.approvals.length} of ${gate.spec.quorum} approvals.`;
  return `Gate ${gate.spec.name} is ${gate.outcome}.`;
}
