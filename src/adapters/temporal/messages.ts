import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { GRPC, grpcStatus } from './grpc.ts';

// Errors of the client library are told by their shape, so that a command line that fails early need not load it.

/** A workflow, or one run of it. */
export interface RunReference {
  workflowId: string;
  runId?: string | undefined;
}

/** What a worker answered, or why none did. */
export type Asked<T> = { answered: true; value: T } | { answered: false; why: 'no-worker' | 'not-understood' };

/**
 * Asks a run; a worker must run to answer. The deadline keeps it quick when none does.
 * @param milliseconds more than half a second
 * @throws what the client throws when the server, not the worker, is at fault
 */
export async function askRun<T>(
  client: Client,
  run: RunReference,
  query: string,
  milliseconds: number,
): Promise<Asked<T>> {
  // A query that arrives during a workflow task waits for the next one, which may never come: asked again, it is
  // answered at once.
  const first = await askOnce<T>(client, run, query, ASKED_AGAIN_AFTER_MS);
  return first ?? (await askOnce<T>(client, run, query, milliseconds - ASKED_AGAIN_AFTER_MS)) ?? NO_WORKER;
}

const ASKED_AGAIN_AFTER_MS = 500;

const NO_WORKER = { answered: false, why: 'no-worker' } as const;

/** @returns undefined when no answer came in time */
async function askOnce<T>(
  client: Client,
  { workflowId, runId }: RunReference,
  query: string,
  milliseconds: number,
): Promise<Asked<T> | undefined> {
  try {
    const handle = client.workflow.getHandle(workflowId, runId);
    return {
      answered: true,
      value: await client.withDeadline(Date.now() + milliseconds, () => handle.query<T>(query)),
    };
  } catch (error) {
    if (error instanceof Error && error.name === 'QueryNotRegisteredError')
      return { answered: false, why: 'not-understood' };
    const status = grpcStatus(error);
    if (status?.code === GRPC.deadlineExceeded || status?.code === GRPC.canceled) return undefined;
    // No poller was seen, or the workflow's tasks fail.
    if (status?.code === GRPC.failedPrecondition) return NO_WORKER;
    throw error;
  }
}

/**
 * A workflow task that was meant for a worker that died waits so long for it, then any worker takes it. Shorter than the
 * SDK's 10 s: a rollback waits for it too.
 */
export const TAKEOVER_MS = 3000;
const RECORDED_WITHIN_MS = 2 * TAKEOVER_MS;

/**
 * Waits until the server has no workflow task of a run pending, or for some seconds where no worker takes it. What a query
 * shows may not be recorded: a worker that is asked about a run it does not have yet goes on with events that no workflow
 * task has brought to anybody. A message that is sent upon it would be in the same task as what it answers, and there
 * every replay takes messages first: the history could not be replayed.
 */
export async function untilRecorded(client: Client, { workflowId, runId }: RunReference): Promise<void> {
  const handle = client.workflow.getHandle(workflowId, runId);
  for (const until = Date.now() + RECORDED_WITHIN_MS; Date.now() < until; await sleep(100))
    if (!(await handle.describe()).raw.pendingWorkflowTask) return;
}

/** What a workflow answered to an Update, or why it did not. */
export type Updated<T> =
  | { answered: true; value: T }
  | { answered: false; why: 'no-worker' }
  | { answered: false; why: 'refused'; reason: string };

export interface UpdateRequest {
  name: string;
  argument: object;
  /** The server answers a repeated id within one run from memory. */
  updateId?: string;
  milliseconds: number;
}

/**
 * Sends an Update to a run and brings its answer back. One that no worker took in time may still take effect.
 * @returns besides the answer: `refused` with the reason when the workflow does not take it
 * @throws what the client throws when the server is at fault, or when the run is over
 */
export async function updateRun<T>(
  client: Client,
  { workflowId, runId }: RunReference,
  { name, argument, updateId, milliseconds }: UpdateRequest,
): Promise<Updated<T>> {
  try {
    const handle = client.workflow.getHandle(workflowId, runId);
    const options = { args: [argument] as [object], ...(updateId ? { updateId } : {}) };
    const value = await client.withDeadline(Date.now() + milliseconds, async () => {
      await untilRecorded(client, { workflowId, runId });
      return handle.executeUpdate<T, [object]>(name, options);
    });
    return { answered: true, value };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error.name === 'WorkflowUpdateRPCTimeoutOrCancelledError' || grpcStatus(error)?.code === GRPC.deadlineExceeded)
      return NO_WORKER;
    if (error.name === 'WorkflowUpdateFailedError')
      return {
        answered: false,
        why: 'refused',
        reason: error.cause instanceof Error ? error.cause.message : error.message,
      };
    throw error;
  }
}
