import type { AuditFact } from '../contracts/audit.ts';
import { fieldsOf, nameOf } from './labels.ts';

/** What is known while a history is read; later events refer to earlier ones by their ids. */
export interface Reading {
  procedure: string;
  /** On whose behalf the procedure acts. */
  requester: AuditFact['who'];
  target: string | undefined;
  input: unknown;
  changes: (activity: string, input: unknown) => boolean;
  /** Activities that are told, by the event that scheduled them. */
  activities: Map<number, { activity: string; input: unknown; attempt: number }>;
  /** `success` or `failure` of each accepted Update, by the event of its acceptance. */
  answers: Map<number, Record<string, unknown>>;
}

/** What an event tells beside its origin. */
export type Told = Omit<AuditFact, 'at' | 'procedure' | 'workflowId' | 'runId' | 'eventId' | 'copyOf'>;

/** The named type of a failure: the innermost that has one. Messages may quote anything and are left out. */
export function failureType(failure: unknown, depth = 8): string {
  const { applicationFailureInfo, timeoutFailureInfo, cause } = fieldsOf(failure);
  const own =
    nameOf(fieldsOf(applicationFailureInfo)['type']) ?? (timeoutFailureInfo === undefined ? undefined : 'TimedOut');
  if (own) return own;
  return cause === undefined || depth === 0 ? 'Unexpected' : failureType(cause, depth - 1);
}

/** The first argument of a Signal, an Update or an activity; its result, where there is one. */
export const first = (values: unknown): unknown => (Array.isArray(values) ? (values[0] as unknown) : undefined);
