import type { Client } from '@temporalio/client';

/** Terminates every workflow that a visibility query finds. */
export async function endMatching({ workflow }: Client, query: string, reason: string): Promise<void> {
  const ending: Promise<unknown>[] = [];
  for await (const { workflowId, runId } of workflow.list({ query })) {
    // One that has ended meanwhile need not be ended.
    ending.push(
      workflow
        .getHandle(workflowId, runId)
        .terminate(reason)
        .catch(() => undefined),
    );
    if (ending.length % 20 === 0) await Promise.all(ending);
  }
  await Promise.all(ending);
}
