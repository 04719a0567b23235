import { askRun, untilRecorded, updateRun, type Asked } from '../../adapters/temporal/messages.ts';
import type { DecisionResult, Decision, GateView } from '../../contracts/gates.ts';
import type { Order, OrderResult, Rescue } from '../../contracts/messages.ts';
import type { ProgressView } from '../../contracts/progress.ts';
import { CliError, explain } from '../errors.ts';
import { printable } from '../../domain/printable.ts';
import { QUERY_TIMEOUT_MS, REQUEST_TIMEOUT_MS, type Session } from './session.ts';
import { isPolled, QUEUE_OF } from './unserved.ts';

/**
 * Asks a procedure; a worker must run to answer. The deadline keeps `status` quick when none does.
 * @throws CliError when the server, not the worker, is at fault
 */
async function ask<T>(
  session: Session,
  id: string,
  query: string,
  runId?: string,
  milliseconds = QUERY_TIMEOUT_MS,
): Promise<Asked<T>> {
  try {
    return printable(await askRun<T>(session.client, { workflowId: id, runId }, query, milliseconds));
  } catch (error) {
    throw explain(error, session.server);
  }
}

export const askProgress = (session: Session, id: string, runId?: string) =>
  ask<ProgressView>(session, id, 'progress', runId);
export const askGates = (session: Session, id: string, runId?: string) => ask<GateView[]>(session, id, 'gates', runId);

/** As `askGates`, for who can do nothing without: a worker that polls is busy, and given as long as any request. */
export async function demandGates(session: Session, id: string): Promise<Asked<GateView[]>> {
  const soon = await askGates(session, id);
  if (soon.answered || soon.why !== 'no-worker' || !(await workerPolls(session))) return soon;
  return ask<GateView[]>(session, id, 'gates', undefined, REQUEST_TIMEOUT_MS);
}

/** Decides a gate and brings the typed answer back. @throws CliError `no-worker` when none takes it in time */
export const decide = (session: Session, id: string, decision: Decision) =>
  update<DecisionResult>(session, id, 'decide', decision);

export const rescue = (session: Session, id: string, order: Rescue) =>
  update<OrderResult>(session, id, 'rescue', order);

/** Acknowledges, rates or resolves an incident. @throws as `decide` */
export const tellIncident = (session: Session, id: string, name: string, order: object) =>
  update<OrderResult>(session, id, name, order);

async function update<T>(session: Session, id: string, name: string, payload: object): Promise<T> {
  const answer = await updateRun<T>(
    session.client,
    { workflowId: id },
    { name, argument: payload, milliseconds: REQUEST_TIMEOUT_MS },
  ).catch((error: unknown) => {
    throw explain(error, session.server);
  });
  if (answer.answered) return printable(answer.value);
  if (answer.why === 'no-worker')
    throw new CliError(
      'no-worker',
      `No worker answered within ${REQUEST_TIMEOUT_MS / 1000} s. It may still take effect when one starts.`,
      `See what became of it: windlass status ${id}`,
    );
  throw new CliError(
    'refused',
    `${id} does not take it: ${printable(answer.reason)}.`,
    `See its state: windlass status ${id}`,
  );
}

/** Signals are kept by the server until a worker takes them. */
export async function signal(session: Session, id: string, name: string, payload: Order | object): Promise<void> {
  await session.bounded(async () => {
    await untilRecorded(session.client, { workflowId: id });
    await session.client.workflow.getHandle(id).signal(name, payload);
  });
}

/** True when a worker asked the task queue for work within the last minute. */
export const workerPolls = (session: Session): Promise<boolean> =>
  isPolled(session, session.taskQueue, QUEUE_OF.workflows);
