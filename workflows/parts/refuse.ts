import type { Plan } from '../../src/contracts/plan.ts';
import { failure } from './failure.ts';

/** @throws ApplicationFailure `Refused` with every reason that a plan names not to do it */
export function refuse({ refusals }: Plan): void {
  if (refusals.length === 0) return;
  throw failure('Refused', refusals.map(({ code, message }) => `${code}: ${message}`).join(' '), refusals);
}
