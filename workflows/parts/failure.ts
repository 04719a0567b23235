import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  CancelledFailure,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow';

/** The failure an activity raised, without the wrapper that the server puts around it. */
export function causeOf(error: unknown): Error {
  if ((error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) && error.cause) return error.cause;
  return error instanceof Error ? error : new Error(String(error));
}

/** The named type of a failure (`RolloutFailed`), or `Unexpected`. */
export function typeOf(error: unknown): string {
  const cause = causeOf(error);
  if (cause instanceof ApplicationFailure) return cause.type ?? 'Unexpected';
  if (cause instanceof TimeoutFailure) return 'Unavailable';
  return isCancellation(error) ? 'Canceled' : 'Unexpected';
}

/** What a failure says beside its message, when it is a map: `{ gate, outcome }` of `GateNotApproved`. */
export function detailOf(error: unknown): object | undefined {
  const cause = causeOf(error);
  const detail: unknown = cause instanceof ApplicationFailure ? cause.details?.[0] : undefined;
  return typeof detail === 'object' && detail !== null && !Array.isArray(detail) ? detail : undefined;
}

export const failure = (type: string, message: string, ...details: unknown[]): ApplicationFailure =>
  ApplicationFailure.create({ type, message, nonRetryable: true, details });

/** A message for people, without the noise of nested failures. */
export function messageOf(error: unknown): string {
  const cause = causeOf(error);
  if (cause instanceof TimeoutFailure) return `no answer in time${cause.cause ? `: ${cause.cause.message}` : ''}`;
  return cause instanceof CancelledFailure ? 'canceled' : cause.message;
}
