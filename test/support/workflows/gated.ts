import { condition, defineSignal, setHandler } from '@temporalio/workflow';
import type { GateSpec } from '../../../src/contracts/gates.ts';
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
  /** Stay open until the signal `finish`, so that late decisions are answered. */
  lingers?: boolean;
}

export interface GatedResult {
  /** `approved`, or how the gate ended that ended it. */
  outcome: string;
  message: string;
}

export const finish = defineSignal('finish');

/** A procedure that does nothing but pass gates. */
export async function gated({ rounds, lingers, ...options }: GatedInput): Promise<GatedResult> {
  let finished = false;
  const procedure = startProcedure('gated', { system: 'test', environment: 'local' });
  const gates = useGates(procedure);
  setHandler(finish, () => void (finished = true));
  procedure.setChannels(['people']);
  const result = await pass();
  if (lingers) await condition(() => finished);
  await procedure.settle();
  return result;

  async function pass(): Promise<GatedResult> {
    try {
      for (const specs of rounds) await gates.pass(specs, options);
      return { outcome: 'approved', message: gates.summary() };
    } catch (error) {
      return { outcome: outcomeOf(error) ?? 'unknown', message: messageOf(error) };
    }
  }
}
