import { ApplicationFailure } from '@temporalio/common';
import type { FailureType } from '../domain/failures.ts';

/**
 * A named failure, retryable only when it is `Unavailable`.
 * @param message what was expected, what came and what to do; it enters the history, so never a secret
 * @param details small JSON for machines
 * @param retryAfterMs for `Unavailable`: when the service asked to be tried again
 */
export function failure(
  type: FailureType,
  message: string,
  details: unknown[] = [],
  retryAfterMs?: number,
): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    details,
    nonRetryable: type !== 'Unavailable',
    ...(retryAfterMs === undefined ? {} : { nextRetryDelay: retryAfterMs }),
  });
}

/** Whether an error is a named failure of one of these types. */
export function isFailure(error: unknown, ...types: FailureType[]): error is ApplicationFailure {
  return error instanceof ApplicationFailure && types.includes(error.type as FailureType);
}
