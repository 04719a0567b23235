import type { WorkflowHandle } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GateView } from '../../../src/contracts/gates.ts';

/** A person of the sandbox's catalog who may decide every gate of its runbooks, and asks for nothing. */
const DECIDER = 'bea';

/** Decides the gates of a procedure as they open, until it ends. While its worker is dead nobody answers: ask again. */
export async function decideGates(
  handle: WorkflowHandle,
  decisions: Record<string, 'approve' | 'reject'>,
): Promise<void> {
  while ((await handle.describe()).status.name === 'RUNNING') {
    await decideOpen(handle, decisions).catch(() => undefined);
    await sleep(300);
  }
}

async function decideOpen(handle: WorkflowHandle, decisions: Record<string, 'approve' | 'reject'>): Promise<void> {
  const gates = await handle.query<GateView[]>('gates');
  for (const { name: gate, outcome, code } of gates) {
    const decision = decisions[gate];
    if (outcome !== 'waiting' || !decision) continue;
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
