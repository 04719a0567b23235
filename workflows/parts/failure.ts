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

export const failure = (type: string, message: string, ...details: unknown[]): ApplicationFailure =>
  ApplicationFailure.create({ type, message, nonRetryable: true, details });

/** A message for people, without the noise of nested failures. */
export function messageOf(error: unknown): string {
  const cause = causeOf(error);
  if (cause instanceof TimeoutFailure) return `no answer in time${cause.cause ? `: ${cause.cause.message}` : ''}`;
  return cause instanceof CancelledFailure ? 'canceled' : cause.message;
}
