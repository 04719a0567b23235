import type { Decision, GateOutcome, GateSpec, VerifiedIdentity } from '../contracts/gates.ts';

/** What somebody said, and when (milliseconds since the epoch). */
export interface Vote {
  by: string;
  at: number;
  reason?: string;
  /** Whose delegate decided. */
  for?: string;
  fields?: NonNullable<Decision['fields']>;
  /** How the server knew who it was; absent: declared. */
  verified?: VerifiedIdentity;
}

/** A gate while its procedure runs. Times are milliseconds since the epoch. */
export interface GateState {
  spec: GateSpec;
  /** Binds decisions to this run and this digest: the first digits of each. */
  code: string;
  openedAt: number;
  outcome: GateOutcome;
  /** Those that count. */
  approvals: Vote[];
  rejection?: Vote;
  /** The requester wants it no more. */
  withdrawal?: Vote;
  /** Somebody passed it alone. */
  brokenGlass?: Vote;
  /** Everything that had an effect, in order: what was retracted is here too. */
  decisions: (Vote & { decision: Decision['decision']; breakGlass?: true })[];
  /** When the second period began, in which the roles of the escalation may decide too. */
  escalatedAt?: number;
  /**
   * Opened by code that knew no change of mind, and that noticed an expiry by its timer alone: histories of that time
   * must replay.
   */
  fixedVotes?: true;
}

/**
 * The gate as it is at a time: expired when its time is over and nobody decided, or in its second period. When somebody
 * looks makes no difference: the second period begins when the first one ended.
 */
export function expireGate(gate: GateState, at: number): GateState {
  if (gate.outcome !== 'waiting' || at < expiresAt(gate)) return gate;
  if (gate.spec.onExpiry === 'escalate' && gate.escalatedAt === undefined)
    return expireGate({ ...gate, escalatedAt: expiresAt(gate) }, at);
  return { ...gate, outcome: 'expired' };
}

/** The gate as withdrawn, when it still waits: it is not needed any more. */
export const withdrawGate = (gate: GateState): GateState =>
  gate.outcome === 'waiting' ? { ...gate, outcome: 'withdrawn' } : gate;

export const expiresAt = (gate: GateState): number => (gate.escalatedAt ?? gate.openedAt) + gate.spec.expiresAfterMs;

/** Whether the procedure may go on: the gate is approved, or silence was declared harmless. */
export const isPassed = ({ outcome, spec }: GateState): boolean =>
  outcome === 'approved' || (outcome === 'expired' && spec.onExpiry === 'continue');

/** Whether the procedure ends because of this gate. */
export const isRefused = (gate: GateState): boolean => gate.outcome !== 'waiting' && !isPassed(gate);
