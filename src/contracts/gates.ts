import { z } from 'zod';
import { person, text } from './scalars.ts';

/** A gate as the catalog or a procedure defines it; durations in milliseconds. */
export interface GateSpec {
  name: string;
  /** An approval agrees to what is shown; a confirmation states that a person did or checked something. */
  kind: 'approval' | 'confirmation';
  /** What is asked, in one sentence. */
  asks: string;
  /** Anyone with one of these roles may decide. */
  roles: string[];
  /** How many distinct people must approve. */
  quorum: number;
  /** The requester may not decide, and one person may not decide two gates of a procedure. */
  fourEyes: boolean;
  expiresAfterMs: number;
  /** Told again, and these roles too, when nobody has decided for this long. */
  escalation?: { afterMs: number; roles: string[] };
}

/** What a person sends: Update `decide`, or Signals `approve` and `reject` (which set `decision` themselves). */
export const decisionSchema = z.strictObject({
  gate: z.string().max(64).describe('Name of the gate, as shown'),
  decision: z.enum(['approve', 'reject']),
  by: person.describe('Who decides'),
  code: z.string().max(64).describe('The code shown beside the gate: it binds the decision to this run and this plan'),
  reason: text.optional(),
});
export type Decision = z.infer<typeof decisionSchema>;

export type DecisionCode =
  | 'recorded'
  | 'already-decided'
  | 'unknown-gate'
  | 'unknown-person'
  | 'wrong-role'
  | 'requester-excluded'
  | 'same-person'
  | 'wrong-code'
  | 'expired'
  | 'rate-limited'
  | 'malformed';

/** The typed answer to a decision. Only `recorded` has an effect; the others are in the record all the same. */
export interface DecisionResult {
  code: DecisionCode;
  message: string;
  gate?: GateView;
}

export type GateOutcome = 'waiting' | 'approved' | 'rejected' | 'expired' | 'withdrawn';

/** A gate as the query `gates` shows it. Times are ISO 8601. */
export interface GateView {
  name: string;
  kind: GateSpec['kind'];
  asks: string;
  roles: string[];
  quorum: number;
  outcome: GateOutcome;
  /** Type this into a decision. */
  code: string;
  openedAt: string;
  expiresAt: string;
  approvals: { by: string; at: string; reason?: string }[];
  rejection?: { by: string; at: string; reason?: string };
}
