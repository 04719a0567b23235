import type { CatalogGate } from '../contracts/catalog-parts.ts';
import type { Decision, DecisionCode, DecisionResult, GateOutcome, GateSpec, GateView } from '../contracts/gates.ts';
import { runMark } from './run-mark.ts';

/** A gate while its procedure runs. Times are milliseconds since the epoch. */
export interface GateState {
  spec: GateSpec;
  /** Binds decisions to this run and this digest: the first digits of each. */
  code: string;
  openedAt: number;
  outcome: GateOutcome;
  approvals: { by: string; at: number; reason?: string }[];
  rejection?: { by: string; at: number; reason?: string };
}

export interface GateContext {
  at: number;
  people: { name: string; roles: string[] }[];
  requestedBy: string;
  /** Every gate of the procedure that counts for distinct people, this one included. */
  all: GateState[];
}

/** A gate of the catalog as a procedure opens it. */
export function toGateSpec(gate: CatalogGate): GateSpec {
  const { expiresAfter, escalation, ...rest } = gate;
  return {
    ...rest,
    expiresAfterMs: expiresAfter,
    ...(escalation ? { escalation: { afterMs: escalation.after, roles: escalation.roles } } : {}),
  };
}

export function openGate(spec: GateSpec, code: string, at: number): GateState {
  return { spec, code, openedAt: at, outcome: 'waiting', approvals: [] };
}

/** The code of a gate: short enough to type, and different for another run (a reset) or another plan. */
export function gateCode(runId: string, digest: string): string {
  return `${runMark(runId)}-${digest.replace(/^sha256:/, '').slice(0, 8)}`;
}

/**
 * What one decision does to a gate. The first decision wins; whatever cannot count is answered, not thrown, because
 * what an Update validator rejects would leave no trace in the history.
 */
export function decideGate(
  gate: GateState,
  decision: Decision,
  context: GateContext,
): { gate: GateState; result: DecisionResult } {
  const fault = faultOf(gate, decision, context);
  if (fault) return { gate, result: { ...fault, gate: viewGate(gate) } };
  const vote = { by: decision.by, at: context.at, ...(decision.reason ? { reason: decision.reason } : {}) };
  const decided: GateState =
    decision.decision === 'reject' ? { ...gate, outcome: 'rejected', rejection: vote } : withApproval(gate, vote);
  return { gate: decided, result: { code: 'recorded', message: outcomeText(decided), gate: viewGate(decided) } };
}

/** The gate as expired when its time is over and nobody decided. */
export function expireGate(gate: GateState, at: number): GateState {
  return gate.outcome === 'waiting' && at >= expiresAt(gate) ? { ...gate, outcome: 'expired' } : gate;
}

export const expiresAt = (gate: GateState): number => gate.openedAt + gate.spec.expiresAfterMs;

export function viewGate(gate: GateState): GateView {
  const iso = (at: number): string => new Date(at).toISOString();
  return {
    name: gate.spec.name,
    kind: gate.spec.kind,
    asks: gate.spec.asks,
    roles: gate.spec.roles,
    quorum: gate.spec.quorum,
    outcome: gate.outcome,
    code: gate.code,
    openedAt: iso(gate.openedAt),
    expiresAt: iso(expiresAt(gate)),
    approvals: gate.approvals.map((vote) => ({ ...vote, at: iso(vote.at) })),
    ...(gate.rejection ? { rejection: { ...gate.rejection, at: iso(gate.rejection.at) } } : {}),
  };
}

function withApproval(gate: GateState, vote: GateState['approvals'][number]): GateState {
  const approvals = [...gate.approvals, vote];
  return { ...gate, approvals, outcome: approvals.length >= gate.spec.quorum ? 'approved' : 'waiting' };
}

function faultOf(
  gate: GateState,
  decision: Decision,
  context: GateContext,
): { code: DecisionCode; message: string } | undefined {
  const { spec } = gate;
  const person = context.people.find(({ name }) => name === decision.by);
  if (gate.outcome === 'expired' || (gate.outcome === 'waiting' && context.at >= expiresAt(gate)))
    return { code: 'expired', message: `Gate ${spec.name} expired; start the procedure again.` };
  if (gate.outcome !== 'waiting')
    return { code: 'already-decided', message: `Gate ${spec.name} is already ${gate.outcome}.` };
  if (decision.code !== gate.code)
    return {
      code: 'wrong-code',
      message: `Code ${decision.code} belongs to another run or another plan. Look at what is asked now; its code is ${gate.code}.`,
    };
  if (!person) return { code: 'unknown-person', message: `${decision.by} is not in the catalog's people.` };
  if (!person.roles.some((role) => spec.roles.includes(role)))
    return {
      code: 'wrong-role',
      message: `${decision.by} has ${person.roles.join(', ')}; gate ${spec.name} needs ${spec.roles.join(' or ')}.`,
    };
  if (gate.approvals.some(({ by }) => by === decision.by))
    return { code: 'same-person', message: `${decision.by} already approved gate ${spec.name}.` };
  // A rejection is always welcome: four eyes protect against approving alone, not against stopping.
  if (decision.decision === 'reject' || !spec.fourEyes) return undefined;
  if (decision.by === context.requestedBy)
    return { code: 'requester-excluded', message: `${decision.by} asked for this and cannot approve it.` };
  const other = context.all.find(
    (each) => each.spec.name !== spec.name && each.spec.fourEyes && each.approvals.some(({ by }) => by === decision.by),
  );
  if (other)
    return {
      code: 'same-person',
      message: `${decision.by} already approved gate ${other.spec.name}; another person must approve ${spec.name}.`,
    };
  return undefined;
}

function outcomeText(gate: GateState): string {
  if (gate.outcome === 'waiting')
    return `Gate ${gate.spec.name}: ${gate.approvals.length} of ${gate.spec.quorum} approvals.`;
  return `Gate ${gate.spec.name} is ${gate.outcome}.`;
}
