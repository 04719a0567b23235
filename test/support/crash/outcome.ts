import { isGrpcServiceError, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProgressView } from '../../../src/contracts/progress.ts';

/** A procedure that has not ended by then is stuck; the longest timeout that each kill leaves open is 15 s. */
const ENDS_WITHIN_MS = 240_000;

/**
 * Measured times differ from run to run, and so do words, what a step of a runbook saw (what is deleted "now" or
 * "already" is gone all the same), and the bytes of a dump, which is encrypted under a nonce of its own.
 */
const DIFFERING = new Set([
  ...['tookMs', 'message', 'output', 'bytes', 'sha256'],
  ...['opening', 'interruptionMs', 'mttaMs', 'mttrMs'],
  ...['rpoMs', 'rtoMs', 'streamMs', 'digestMs', 'restoreMs', 'amcheckMs', 'compareMs'],
]);

/**
 * How a procedure ended, in words: its result, or the type and details of its failure. It waits through an outage of the
 * Temporal server.
 */
export async function outcomeOf(handle: WorkflowHandle): Promise<string> {
  const deadline = Date.now() + ENDS_WITHIN_MS;
  for (;;) {
    try {
      const late = AbortSignal.timeout(Math.max(1, deadline - Date.now()));
      const result = await handle.client.withAbortSignal(late, () => handle.result() as Promise<object>);
      return JSON.stringify(result, (key, value: unknown) => (DIFFERING.has(key) ? undefined : value));
    } catch (error) {
      const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
      if (cause instanceof ApplicationFailure) return `${cause.type} ${JSON.stringify(cause.details ?? [])}`;
      if (error instanceof WorkflowFailedError) return error.message;
      if (Date.now() >= deadline) return `stuck after ${ENDS_WITHIN_MS / 1000} s: ${await stepOf(handle)}`;
      if (!isGrpcServiceError(error)) throw error;
      await sleep(200);
    }
  }
}

async function stepOf(handle: WorkflowHandle): Promise<string> {
  try {
    return (await handle.query<ProgressView>('progress')).step;
  } catch (error) {
    return String(error);
  }
}
