import {
  isGrpcServiceError,
  WithStartWorkflowOperation,
  WorkflowUpdateFailedError,
  type Client,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { failure } from './failure.ts';

/** Status code of gRPC for something that does not exist (grpc.github.io/grpc/core/md_doc_statuscodes.html). */
const NOT_FOUND = 5;

export interface UpdateWithStart {
  workflowType: string;
  workflowId: string;
  taskQueue: string;
  /** The single input of the workflow, used when it does not run yet. */
  input: unknown;
  update: string;
  /** The server answers a repeated id within one run from memory; across runs the workflow must. */
  updateId: string;
  argument: unknown;
  timeoutMs: number;
}

/**
 * Sends an Update to a workflow, which is started when it does not run.
 * @throws InvalidInput when the workflow rejects it, Unavailable when nobody answered in time or the run closed under it
 */
export async function updateWithStart<Reply>(client: Client, asked: UpdateWithStart): Promise<Reply> {
  const startWorkflowOperation = new WithStartWorkflowOperation(asked.workflowType, {
    workflowId: asked.workflowId,
    taskQueue: asked.taskQueue,
    args: [asked.input],
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  try {
    return await client.withDeadline(Date.now() + asked.timeoutMs, () =>
      client.workflow.executeUpdateWithStart<never, Reply, [unknown]>(asked.update, {
        updateId: asked.updateId,
        args: [asked.argument],
        startWorkflowOperation: startWorkflowOperation as never,
      }),
    );
  } catch (error) {
    const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
    if (cause instanceof ApplicationFailure && cause.type === 'InvalidInput')
      throw failure('InvalidInput', cause.message);
    throw failure('Unavailable', `${asked.workflowId} did not answer ${asked.update}: ${textOf(cause ?? error)}`);
  }
}

/** A run of a workflow id. A reset or continued run keeps the first run id of its chain. */
export interface Run {
  workflowId: string;
  runId: string;
  firstRunId: string;
  /** As the server names it: `RUNNING`, `COMPLETED`, `TIMED_OUT`… */
  status: string;
}

/** The newest run of a workflow id, or the named one; undefined when the server knows none. */
export async function describeRun(client: Client, workflowId: string, runId?: string): Promise<Run | undefined> {
  return await unlessNotFound(async () => {
    const { runId: found, status, raw } = await client.workflow.getHandle(workflowId, runId).describe();
    return {
      workflowId,
      runId: found,
      firstRunId: raw.workflowExecutionInfo?.firstRunId || found,
      status: status.name,
    };
  });
}

/** Long-polls until a run has closed or is not known any more. `signal` ends the wait with an error. */
export async function awaitClosed(
  client: Client,
  run: Pick<Run, 'workflowId' | 'runId'>,
  signal: AbortSignal,
): Promise<void> {
  await unlessNotFound(async () => {
    let nextPageToken: Uint8Array | undefined;
    for (;;) {
      // The client listens for an abort to come; one that came before would not end the poll.
      signal.throwIfAborted();
      const { history, nextPageToken: next } = await client.withAbortSignal(signal, () =>
        client.workflowService.getWorkflowExecutionHistory({
          namespace: client.options.namespace,
          execution: { workflowId: run.workflowId, runId: run.runId },
          waitNewEvent: true,
          historyEventFilterType: CLOSE_EVENT,
          ...(nextPageToken ? { nextPageToken } : {}),
        }),
      );
      if (history?.events?.length) return;
      nextPageToken = next?.length ? next : undefined;
    }
  });
}

/** HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT (temporal/api/enums/v1/workflow.proto). */
const CLOSE_EVENT = 2;

/** Signals one run. False when it is closed. */
export async function signalRun(client: Client, run: Run, signal: string, payload: unknown): Promise<boolean> {
  return (
    (await unlessNotFound(async () => {
      await client.workflow.getHandle(run.workflowId, run.runId).signal(signal, payload);
      return true;
    })) ?? false
  );
}

/** Terminates one run. False when it is closed. */
export async function terminateRun(client: Client, run: Run, reason: string): Promise<boolean> {
  return (
    (await unlessNotFound(async () => {
      await client.workflow.getHandle(run.workflowId, run.runId).terminate(reason);
      return true;
    })) ?? false
  );
}

/** What was asked for, or undefined when the server knows it not. @throws Unavailable */
export async function unlessNotFound<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw failure('Unavailable', `Temporal did not answer: ${textOf(error)}`);
  }
}

/** The SDK wraps some errors of gRPC and passes others on. */
function isNotFound(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    error.name === 'WorkflowNotFoundError' ||
    (isGrpcServiceError(error) && (error.code as number) === NOT_FOUND) ||
    isNotFound(error.cause)
  );
}

/** An error of the client, with the cause that says more. */
export function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/**
 * Results of the newest completed runs of a workflow id, newest first. The server finds runs by its visibility store,
 * which learns of an end a moment later.
 * @throws Unavailable
 */
export async function formerResults<Result>(client: Client, workflowId: string, limit: number): Promise<Result[]> {
  const query = `WorkflowId = "${workflowId.replaceAll(/["\\]/g, '')}" AND ExecutionStatus = "Completed"`;
  const results = await unlessNotFound(async () => {
    const found: Result[] = [];
    for await (const { runId } of client.workflow.list({ query, pageSize: limit })) {
      found.push((await client.workflow.getHandle(workflowId, runId).result()) as Result);
      if (found.length >= limit) break;
    }
    return found;
  });
  return results ?? [];
}

export interface SignalWithStart {
  workflowType: string;
  workflowId: string;
  taskQueue: string;
  /** The single input of the workflow, used when it does not run yet. */
  input: unknown;
  signal: string;
  argument: unknown;
  memo: Record<string, unknown>;
  summary: string;
  timeoutMs: number;
}

/**
 * Sends a Signal to a workflow, which is started when it does not run. When it returns, the server has it durably.
 * @returns the run that takes it
 * @throws Unavailable
 */
export async function signalWithStart(client: Client, asked: SignalWithStart): Promise<{ runId: string }> {
  try {
    const handle = await client.withDeadline(Date.now() + asked.timeoutMs, () =>
      client.workflow.signalWithStart(asked.workflowType, {
        workflowId: asked.workflowId,
        taskQueue: asked.taskQueue,
        args: [asked.input],
        signal: asked.signal,
        signalArgs: [asked.argument],
        memo: asked.memo,
        staticSummary: asked.summary,
      }),
    );
    return { runId: handle.signaledRunId };
  } catch (error) {
    throw failure('Unavailable', `Temporal did not take ${asked.signal} for ${asked.workflowId}: ${textOf(error)}`);
  }
}

/** Signals a workflow if it runs. @throws Unavailable */
export async function signalRunning(
  client: Client,
  {
    workflowId,
    signal,
    argument,
    timeoutMs,
  }: Pick<SignalWithStart, 'workflowId' | 'signal' | 'argument' | 'timeoutMs'>,
): Promise<void> {
  await unlessNotFound(() =>
    client.withDeadline(Date.now() + timeoutMs, () => client.workflow.getHandle(workflowId).signal(signal, argument)),
  );
}

/**
 * Asks a workflow if it runs; undefined when it does not.
 * @throws Unavailable when no worker answers in time
 */
export async function queryRunning<Answer>(
  client: Client,
  workflowId: string,
  query: string,
  timeoutMs: number,
): Promise<Answer | undefined> {
  const run = await describeRun(client, workflowId);
  if (run?.status !== 'RUNNING') return undefined;
  return unlessNotFound(() =>
    client.withDeadline(Date.now() + timeoutMs, () => client.workflow.getHandle(workflowId).query<Answer>(query)),
  );
}
