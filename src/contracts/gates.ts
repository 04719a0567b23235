import { z } from 'zod';
import { formValues, type FormValues, type GateForm } from './gate-form.ts';
import type { IdentityPolicy } from './identity.ts';
import { person, text } from './scalars.ts';
import type { IdentityKind, IdentitySource } from './statement.ts';

/** Criteria of a go/no-go gate by their names: all of `go` must be so, and none of `noGo`. */
export interface GateCriteria {
  go: Record<string, string>;
  noGo: Record<string, string>;
}

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
  /** Told too when nobody has decided for `afterMs`; with `onExpiry: escalate` they may decide in a second period. */
  escalation?: { afterMs?: number; roles: string[] };
  /**
   * What silence means. `rejected` (the default): the gate expires and the procedure ends. `escalate`: one more period,
   * in which the roles of `escalation` may decide too. `continue`: the gate expires and the procedure goes on.
   */
  onExpiry?: 'rejected' | 'escalate' | 'continue';
  /** The catalog declared that going on without a decision does no harm. */
  harmless?: boolean;
  /** So often those who may decide are told again. */
  remindEveryMs?: number;
  /** Channels of those who may decide, besides those of the procedure. */
  notify?: string[];
  /** An approval needs a comment (`reason`). */
  comment?: 'required' | 'optional';
  /** An approval needs these fields. */
  form?: GateForm;
  /** Answered in the form, each with its evidence: one wrong answer makes the approval a rejection. */
  criteria?: GateCriteria;
  /** Who may pass the gate alone in an emergency, who is told at once, and when that must have been reviewed. */
  breakGlass?: { roles: string[]; notify: string[]; reviewWithinMs: number };
  /** False: the requester cannot take it back. */
  withdrawable?: boolean;
  /** Whose word decides; absent: as the environment says, and `declared` where that says nothing. */
  identity?: IdentityPolicy;
  /** Service identities may approve it too, although it wants four eyes. */
  services?: boolean;
}

/** Characters of a signed statement: a reason and a form of ordinary length, in base64. */
const LONGEST_STATEMENT = 32 * 1024;

/**
 * What a person sends: Update `decide`, or Signals `approve`, `reject`, `retract` and `withdraw` (which set `decision`
 * themselves). `retract` takes an own approval back before the gate is decided; `withdraw` is the requester who wants
 * it no more.
 */
export const decisionSchema = z
  .strictObject({
    gate: z.string().max(64).describe('Name of the gate, as shown'),
    decision: z.enum(['approve', 'reject', 'retract', 'withdraw']),
    by: person.describe('Who decides'),
    code: z
      .string()
      .max(64)
      .describe('The code shown beside the gate: it binds the decision to this run and this plan'),
    reason: text.optional(),
    fields: formValues.optional().describe('What the form of the gate asks for'),
    breakGlass: z
      .boolean()
      .optional()
      .describe('Pass the gate alone, in an emergency: people are told at once, and it is reviewed afterwards'),
    statement: z
      .string()
      .max(LONGEST_STATEMENT)
      .optional()
      .describe('Who decides, verified and signed by the server of Windlass; where the gate wants that'),
  })
  .refine(({ decision, breakGlass }) => !breakGlass || decision === 'approve', 'only an approval breaks the glass');
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
  | 'comment-required'
  | 'invalid-fields'
  | 'not-approved'
  | 'not-requester'
  | 'no-break-glass'
  | 'rate-limited'
  | 'identity-required'
  | 'invalid-statement'
  | 'statement-used'
  | 'person-required'
  | 'malformed';

/** The typed answer to a decision. Only `recorded` has an effect; the others are in the record all the same. */
export interface DecisionResult {
  code: DecisionCode;
  message: string;
  gate?: GateView;
}

export type GateOutcome = 'waiting' | 'approved' | 'rejected' | 'expired' | 'withdrawn';

/** Who said what when (ISO 8601). */
export interface VoteView {
  by: string;
  at: string;
  reason?: string;
  /** Whose delegate decided. */
  for?: string;
  fields?: FormValues;
  /** How the server knew who it was; absent: declared. */
  verified?: VerifiedIdentity;
}

export interface VerifiedIdentity extends IdentitySource {
  how: IdentityKind;
}

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
  /** Those that count; who retracted is in `decisions` only. */
  approvals: VoteView[];
  rejection?: VoteView;
  withdrawal?: VoteView;
  /** Somebody passed it alone. */
  brokenGlass?: VoteView;
  /** Everything that was recorded, in order. */
  decisions?: (VoteView & { decision: Decision['decision']; breakGlass?: true })[];
  /** When it began to wait for the roles of the escalation too. */
  escalatedAt?: string;
  /** What silence means; absent: the procedure ends. */
  onExpiry?: GateSpec['onExpiry'];
  comment?: GateSpec['comment'];
  form?: GateForm;
  /** Roles that may pass it alone. */
  breakGlass?: { roles: string[] };
  /** Whose word decides it; absent: declared. */
  identity?: IdentityPolicy;
}
