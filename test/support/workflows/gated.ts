import { condition, defineSignal, setHandler } from '@temporalio/workflow';
import type { GateSpec } from '../../../src/contracts/gates.ts';
import type { IdentityPolicy } from '../../../src/contracts/identity.ts';
import type { Person } from '../../../src/domain/gate-rights.ts';
import { messageOf } from '../../../workflows/parts/failure.ts';
import { outcomeOf, useGates } from '../../../workflows/parts/gates.ts';
import { startProcedure } from '../../../workflows/parts/procedure.ts';

export { reviewBreakGlass } from '../../../workflows/review-break-glass.ts';

export interface GatedInput {
  /** Gates that open together, one list after the other. */
  rounds: GateSpec[][];
  people: Person[];
  requestedBy: string;
  digest: string;
  identity?: IdentityPolicy;
  /** After each round wait for the signal `proceed`, so that late decisions are answered, and go on whatever came of it. */
  lingers?: boolean;
}

export interface GatedResult {
  /** `approved`, or how the gate ended that ended the last round. */
  outcome: string;
  message: string;
  /** Of every round. */
  outcomes: string[];
}

export const proceed = defineSignal('proceed');

/** A procedure that does nothing but pass gates. */
export async function gated({ rounds, lingers, identity, ...options }: GatedInput): Promise<GatedResult> {
  let proceeds = 0;
  const procedure = startProcedure('gated', { system: 'test', environment: 'local' });
  const gates = useGates(procedure);
  setHandler(proceed, () => void proceeds++);
  procedure.setChannels(['people']);
  const outcomes: string[] = [];
  let message = '';
  for (const specs of rounds) {
    const ended = await pass(specs);
    message = ended.message;
    outcomes.push(ended.outcome);
    if (lingers) await condition(() => proceeds >= outcomes.length);
    else if (ended.outcome !== 'approved') break;
  }
  await procedure.settle();
  return { outcome: outcomes.at(-1)!, message, outcomes };

  async function pass(specs: GateSpec[]): Promise<{ outcome: string; message: string }> {
    try {
      await gates.pass(specs, { ...options, identity });
      return { outcome: 'approved', message: gates.summary() };
    } catch (error) {
      return { outcome: outcomeOf(error) ?? 'unknown', message: messageOf(error) };
    }
  }
}
