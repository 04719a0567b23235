import type { Client, WorkflowHandle } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilRecorded } from '../../../src/adapters/temporal/messages.ts';
import type { GateView } from '../../../src/contracts/gates.ts';

/** A person of the sandbox's catalog who may decide every gate of its runbooks, and asks for nothing. */
const DECIDER = 'bea';

export type Decisions = Record<string, 'approve' | 'reject'>;

/** Decides the gates of a procedure as they open, until it is over. While its worker is dead nobody answers: ask again. */
export async function decideGates(
  client: Client,
  handle: WorkflowHandle,
  decisions: Decisions,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    await decideOpen(client, handle, decisions).catch(() => undefined);
    await sleep(300);
  }
}

async function decideOpen(client: Client, handle: WorkflowHandle, decisions: Decisions): Promise<void> {
  const gates = await handle.query<GateView[]>('gates');
  for (const { name: gate, outcome, code } of gates) {
    const decision = decisions[gate];
    if (outcome !== 'waiting' || !decision) continue;
    await untilRecorded(client, handle);
    // By signal: it is kept until a worker runs.
    await handle.signal(decision, {
      gate,
      by: DECIDER,
      code,
      // What is rejected needs one, and so may what is approved.
      reason: 'crash matrix',
    });
  }
}
