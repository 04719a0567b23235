import type { GateView, VoteView } from '../contracts/gates.ts';
import { expiresAt, type GateState, type Vote } from './gate-state.ts';
import { rolesOfGate } from './gate-rights.ts';

/** A gate as it is shown: times as ISO 8601, the policies that matter to who decides. */
export function viewGate(gate: GateState): GateView {
  const { spec, rejection, withdrawal, brokenGlass, escalatedAt } = gate;
  return {
    name: spec.name,
    kind: spec.kind,
    asks: spec.asks,
    roles: rolesOfGate(gate),
    quorum: spec.quorum,
    outcome: gate.outcome,
    code: gate.code,
    openedAt: iso(gate.openedAt),
    expiresAt: iso(expiresAt(gate)),
    approvals: gate.approvals.map(viewVote),
    ...(rejection ? { rejection: viewVote(rejection) } : {}),
    ...(withdrawal ? { withdrawal: viewVote(withdrawal) } : {}),
    ...(brokenGlass ? { brokenGlass: viewVote(brokenGlass) } : {}),
    decisions: gate.decisions.map((vote) => ({ ...vote, at: iso(vote.at) })),
    ...(escalatedAt === undefined ? {} : { escalatedAt: iso(escalatedAt) }),
    ...(spec.onExpiry ? { onExpiry: spec.onExpiry } : {}),
    ...(spec.comment ? { comment: spec.comment } : {}),
    ...(spec.form ? { form: spec.form } : {}),
    ...(spec.breakGlass ? { breakGlass: { roles: spec.breakGlass.roles } } : {}),
    ...(spec.identity ? { identity: spec.identity } : {}),
  };
}

/** A gate as a message asks for it: with its code, and whether a yes alone decides it. */
export const askedGate = ({ spec, code }: GateState): { name: string; code: string; direct: boolean } => ({
  name: spec.name,
  code,
  direct: spec.comment !== 'required' && spec.form === undefined,
});

/** Who decided, in words: `bob for ana`. */
export const whoVoted = ({ by, for: delegator }: { by: string; for?: string }): string =>
  delegator ? `${by} for ${delegator}` : by;

/** Who passed a gate, in words: `security: ana, bob for carl`. */
export function summarizeGate({ spec, approvals, brokenGlass, outcome }: GateState): string {
  if (brokenGlass) return `${spec.name}: passed alone by ${brokenGlass.by} (break-glass: ${brokenGlass.reason ?? ''})`;
  if (outcome === 'expired') return `${spec.name}: expired, which was declared harmless`;
  return `${spec.name}: ${approvals.map(whoVoted).join(', ')}`;
}

/** Why a procedure does not go on, in a sentence. */
export function describeRefusal(gate: GateState): string {
  const { spec, outcome, rejection, withdrawal } = gate;
  const because = (vote: Vote): string => `${whoVoted(vote)}${vote.reason ? `: ${vote.reason}` : ''}.`;
  if (rejection) return `Gate ${spec.name} was rejected by ${because(rejection)}`;
  if (withdrawal) return `Gate ${spec.name} was withdrawn by ${because(withdrawal)}`;
  return `Gate ${spec.name} ended ${outcome}: nobody of ${rolesOfGate(gate).join(' or ')} decided in time. Start again when they can.`;
}

const iso = (at: number): string => new Date(at).toISOString();

const viewVote = ({ by, at, reason, for: delegator, fields, verified }: Vote): VoteView => ({
  by,
  at: iso(at),
  ...(reason ? { reason } : {}),
  ...(delegator ? { for: delegator } : {}),
  ...(fields ? { fields } : {}),
  ...(verified ? { verified } : {}),
});
