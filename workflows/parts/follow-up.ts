import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { z } from 'zod';
import type { Contract } from '../../src/contracts/contract.ts';

/**
 * Starts a procedure that outlives this one. A second start of the same is the first one: its id names what it is for.
 * @returns its workflow id
 */
export async function startFollowUp<Schema extends z.ZodType>(
  contract: Contract<Schema>,
  input: z.input<Schema>,
): Promise<string> {
  const workflowId = contract.workflowId(contract.input.parse(input));
  try {
    await startChild(contract.procedure, { workflowId, args: [input], parentClosePolicy: ParentClosePolicy.ABANDON });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  return workflowId;
}
