import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

/** The named failure by which a workflow closed; anything else is thrown. */
export async function failureOf(running: Promise<unknown>): Promise<{ type: string; message: string }> {
  const error = await running.then(
    () => new Error('it did not fail'),
    (raised: unknown) => raised,
  );
  if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error as Error;
  return { type: error.cause.type ?? '', message: error.cause.message };
}
