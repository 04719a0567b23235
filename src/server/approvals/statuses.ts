import type { DecisionCode } from '../../contracts/gates.ts';

/** The HTTP status that fits an answer to a decision. */
export const STATUS_OF: Record<DecisionCode, 200 | 400 | 403 | 404 | 409 | 410 | 422 | 429> = {
  recorded: 200,
  malformed: 400,
  'unknown-person': 403,
  'wrong-role': 403,
  'requester-excluded': 403,
  'same-person': 403,
  'not-requester': 403,
  'no-break-glass': 403,
  'identity-required': 403,
  'invalid-statement': 403,
  'person-required': 403,
  'unknown-gate': 404,
  'already-decided': 409,
  'wrong-code': 409,
  'not-approved': 409,
  'statement-used': 409,
  expired: 410,
  'comment-required': 422,
  'invalid-fields': 422,
  'rate-limited': 429,
};
