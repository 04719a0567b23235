import { z } from 'zod';
import { failure } from '../adapters/failure.ts';

/** What every check takes. */
export const orFail = z
  .boolean()
  .default(false)
  .describe('Fail (ChecksFailed) when it is not as expected, instead of only saying so');

/** What every check returns. */
export const verdict = { ok: z.boolean(), faults: z.array(z.string()) };

/** @throws ChecksFailed when there are faults and the step shall not survive them */
export function judged(faults: string[], fails: boolean): { ok: boolean; faults: string[] } {
  if (faults.length > 0 && fails) throw failure('ChecksFailed', faults.join('; '), [faults]);
  return { ok: faults.length === 0, faults };
}
