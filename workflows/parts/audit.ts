import type { z } from 'zod';
import { describeIssues } from '../../src/contracts/contract.ts';
import { failure } from './failure.ts';

/** The validated input of a workflow of the audit. @throws ApplicationFailure `InvalidInput`, which names every wrong field */
export function parseShape<T>(workflow: string, schema: z.ZodType, raw: unknown): T {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data as T;
  throw failure('InvalidInput', `${workflow} cannot start: ${describeIssues(parsed.error)}`);
}
