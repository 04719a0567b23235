import type { DecisionResult, Decision, GateView } from '../../contracts/gates.ts';
import type { Order, OrderResult, Rescue } from '../../contracts/messages.ts';
import type { ProgressView } from '../../contracts/progress.ts';
import { CliError, explain, GRPC, grpcStatus } from '../errors.ts';
import { printable } from '../render/text.ts';
import { QUERY_TIMEOUT_MS, REQUEST_TIMEOUT_MS, type Session } from './session.ts';

/** What a worker answered, or why none did. */
export type Asked<T> = { answered: true; value: T } | { answered: false; why: 'no-worker' | 'not-understood' };

/**
 * Asks a procedure; a worker must run to answer. The deadline keeps `status` quick when none does.
 * @throws CliError when the server, not the worker, is at fault
 */
async function ask<T>(session: Session, id: string, query: string, runId?: string): Promise<Asked<T>> {
  // A query that arrives during a workflow task waits for the next one, which may never come: asked again, it is
  // answered at once.
  const first = await askOnce<T>(session, id, query, runId, QUERY_TIMEOUT_MS / 4);
  return first ?? (await askOnce<T>(session, id, query, runId, (QUERY_TIMEOUT_MS * 3) / 4)) ?? NO_WORKER;
}

const NO_WORKER = { answered: false, why: 'no-worker' } as const;

/** @returns undefined when no answer came in time */
async function askOnce<T>(
  session: Session,
  id: string,
  query: string,
  runId: string | undefined,
  milliseconds: number,
): Promise<Asked<T> | undefined> {
  try {
    const handle = session.client.workflow.getHandle(id, runId);
    return { answered: true, value: printable(await session.bounded(() => handle.query<T>(query), milliseconds)) };
  } catch (error) {
    if (error instanceof Error && error.name === 'QueryNotRegisteredError')
      return { answered: false, why: 'not-understood' };
    const status = grpcStatus(error);
    if (status?.code === GRPC.deadlineExceeded || status?.code === GRPC.canceled) return undefined;
    // No poller was seen, or the workflow's tasks fail.
    if (status?.code === GRPC.failedPrecondition) return NO_WORKER;
    throw explain(error, session.server);
  }
}

export const askProgress = (session: Session, id: string, runId?: string) =>
  ask<ProgressView>(session, id, 'progress', runId);
export const askGates = (session: Session, id: string, runId?: string) => ask<GateView[]>(session, id, 'gates', runId);

/** Decides a gate and brings the typed answer back. @throws CliError `no-worker` when none takes it in time */
export const decide = (session: Session, id: string, decision: Decision) =>
  update<DecisionResult>(session, id, 'decide', decision);

export const rescue = (session: Session, id: string, order: Rescue) =>
  update<OrderResult>(session, id, 'rescue', order);

/** Acknowledges, rates or resolves an incident. @throws as `decide` */
export const tellIncident = (session: Session, id: string, name: string, order: object) =>
  update<OrderResult>(session, id, name, order);

async function update<T>(session: Session, id: string, name: string, payload: object): Promise<T> {
  try {
    const handle = session.client.workflow.getHandle(id);
    return printable(
      await session.bounded(() => handle.executeUpdate<T, [object]>(name, { args: [payload] }), REQUEST_TIMEOUT_MS),
    );
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error.name === 'WorkflowUpdateRPCTimeoutOrCancelledError' || grpcStatus(error)?.code === GRPC.deadlineExceeded)
      throw new CliError(
        'no-worker',
        `No worker answered within ${REQUEST_TIMEOUT_MS / 1000} s. It may still take effect when one starts.`,
        `See what became of it: windlass status ${id}`,
      );
    if (error.name === 'WorkflowUpdateFailedError') {
      const cause = error.cause instanceof Error ? error.cause.message : error.message;
      throw new CliError(
        'refused',
        `${id} does not take it: ${printable(cause)}.`,
        `See its state: windlass status ${id}`,
      );
    }
    throw explain(error, session.server);
  }
}

/** Signals are kept by the server until a worker takes them. */
export async function signal(session: Session, id: string, name: string, payload: Order | object): Promise<void> {
  await session.bounded(() => session.client.workflow.getHandle(id).signal(name, payload));
}

/** True when a worker asked the task queue for work within the last minute. */
export async function workerPolls(session: Session): Promise<boolean> {
  const { pollers } = await session.bounded(() =>
    session.connection.workflowService.describeTaskQueue({
      namespace: session.namespace,
      taskQueue: { name: session.taskQueue },
      taskQueueType: 1, // TASK_QUEUE_TYPE_WORKFLOW
    }),
  );
  const recent = Date.now() - 61_000; // a long poll lasts a minute
  return (pollers ?? []).some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000 > recent);
}
