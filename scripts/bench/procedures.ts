import type { Client, WorkflowHandle } from '@temporalio/client';
import type { Contract } from '../../src/contracts/contract.ts';
import { deployRelease } from '../../src/contracts/deploy-release.ts';
import type { Decision, DecisionResult, GateView } from '../../src/contracts/gates.ts';
import { waitFor } from '../sandbox/wait.ts';
import { APPROVER, REQUESTER, SERVICE } from './catalog.ts';
import { TASK_QUEUE } from './setting.ts';

export const imageOf = (version: string): string => `docker.io/windlass/sample:${version}`;

/** Starts any procedure as the Temporal UI does: its one JSON input, its own workflow id. */
export function startProcedure(client: Client, contract: Contract, input: object): Promise<WorkflowHandle> {
  const workflowId = contract.workflowId(contract.input.parse(input));
  return client.workflow.start(contract.procedure, { workflowId, taskQueue: TASK_QUEUE, args: [input] });
}

export function startRelease(client: Client, system: string, environment: string, version: string) {
  const input = { system, environment, service: SERVICE, image: imageOf(version), requestedBy: REQUESTER };
  return startProcedure(client, deployRelease, input);
}

/**
 * Waits until a release waits at a gate.
 * @returns the gate, with the code that a decision needs
 * @throws Error when it ended instead, with its failure
 */
export async function untilGate(handle: WorkflowHandle): Promise<GateView> {
  const reached = await waitFor(
    `a gate of ${handle.workflowId}`,
    async () => {
      const { status, searchAttributes } = await handle.describe();
      if (status.name !== 'RUNNING') return 'ended';
      return (searchAttributes['OpsAwaiting']?.length ?? 0) > 0 && 'waiting';
    },
    { timeoutSeconds: 300 },
  );
  if (reached === 'ended') {
    const result: unknown = await handle.result().catch((error: Error) => error.cause ?? error);
    throw new Error(`${handle.workflowId} did not get to its gate: ${String(result)}`);
  }
  const gates = await handle.query<GateView[]>('gates');
  const gate = gates.find(({ outcome }) => outcome === 'waiting');
  if (!gate) throw new Error(`${handle.workflowId} waits at no gate: ${JSON.stringify(gates)}`);
  return gate;
}

export interface Decided {
  /** Just before the decision was sent, milliseconds since the epoch; up to 1 ms early. */
  sentAt: number;
  /** Until the answer to the decision was back. */
  answeredMs: number;
}

/** Approves a gate by the Update `decide`. @throws Error when the decision did not count */
export async function approve(handle: WorkflowHandle, { name, code }: GateView): Promise<Decided> {
  const decision: Decision = { gate: name, decision: 'approve', by: APPROVER, code };
  const sentAt = Date.now();
  const answer = await handle.executeUpdate<DecisionResult, [Decision]>('decide', { args: [decision] });
  const answeredMs = Date.now() - sentAt;
  if (answer.code !== 'recorded') throw new Error(`the decision did not count: ${answer.message}`);
  return { sentAt, answeredMs };
}

/** Does something with every item, so many at once. @throws the signal's reason, instead of beginning with another one */
export async function eachOf<T>(
  items: T[],
  atOnce: number,
  signal: AbortSignal,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of left) {
        signal.throwIfAborted();
        await act(item);
      }
    }),
  );
}
