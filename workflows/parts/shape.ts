import { ApplicationFailure } from '@temporalio/workflow';
import type { z } from 'zod';
import { describeIssues } from '../../src/contracts/contract.ts';

/**
 * Validator of an Update: shape only, because what a validator refuses leaves no trace in history.
 * The sender gets `InvalidInput` with every field that is wrong.
 */
export function requireShape<T>(schema: z.ZodType<unknown, T>): (message: T) => void {
  return (message) => {
    const parsed = schema.safeParse(message);
    if (!parsed.success) throw ApplicationFailure.nonRetryable(describeIssues(parsed.error), 'InvalidInput');
  };
}

/** Handler of a Signal, which cannot be refused: one that is not understood goes to `otherwise` and has no effect. */
export function ifUnderstood<T>(
  schema: z.ZodType<T>,
  act: (message: T) => unknown,
  otherwise: () => void,
): (raw: unknown) => void {
  return (raw) => {
    const message = schema.safeParse(raw);
    if (message.success) act(message.data);
    else otherwise();
  };
}
