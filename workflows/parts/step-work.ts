import type { RunbookSlice, RunRunbookInput } from '../../src/contracts/run-runbook.ts';
import type { Parts } from './carry-out.ts';
import { typeOf } from './failure.ts';
import type { Gates } from './gates.ts';
import type { Right } from './right.ts';
import type { Undo } from './undo.ts';

/** What the steps of a run work with. */
export interface StepWork {
  parts: Parts;
  gates: Gates;
  slice: RunbookSlice;
  input: RunRunbookInput;
  right: Right;
  /** Unique per run: the beginning of every step's key. */
  key: string;
}

/** Which failures of steps ask a person. One that nobody answered is tried again in any case. */
export const asksOnly = ({ onFailure }: RunRunbookInput): 'Unavailable' | undefined =>
  onFailure === 'fail' ? 'Unavailable' : undefined;

/**
 * The value of something that expressions decide. One without a value is stuck like a step that fails: nobody knows
 * what was meant.
 * @returns undefined when a person skips it
 */
export async function orAsk<T>(
  undo: Undo,
  input: RunRunbookInput,
  name: string,
  work: () => T,
): Promise<T | undefined> {
  try {
    return work();
  } catch (error) {
    if (asksOnly(input)) throw error;
    if (!['ExpressionFailed', 'InvalidInput'].includes(typeOf(error))) throw error;
  }
  let value: T | undefined;
  await undo.insist({ name, triesAgain: 'unavailable', run: async () => void (value = work()) });
  return value;
}
