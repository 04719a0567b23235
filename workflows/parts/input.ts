import { ApplicationFailure } from '@temporalio/workflow';
import type { z } from 'zod';
import { describeIssues, type Contract } from '../../src/contracts/contract.ts';

/**
 * The validated input of a procedure.
 * @throws ApplicationFailure `InvalidInput`, not retryable: it names every field that is wrong and shows a valid input.
 */
export function parseInput<Schema extends z.ZodType>(contract: Contract<Schema>, raw: unknown): z.output<Schema> {
  const parsed = contract.input.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw ApplicationFailure.nonRetryable(
    `${contract.procedure} cannot start: ${describeIssues(parsed.error)}. A valid input: ${JSON.stringify(contract.example)}`,
    'InvalidInput',
  );
}
