import type { Priority } from '../../contracts/change-control.ts';
import type { ChangeRequest, Closure } from '../change/admission.ts';
import type { BudgetState } from './state.ts';
import { decisive, describeSlo, iso, liftedBy, staleText } from './words.ts';
import { isStale } from './state.ts';

/** Kinds of procedure that a zone is about; rollbacks and incidents pass it, which is recorded. */
const CONCERNED: Priority[] = ['deployment', 'rollback', 'incident'];

/** What the zone closes to a request: in yellow what is not critical, in red everything. */
export function budgetClosures(budget: BudgetState | undefined, request: ChangeRequest, at: number): Closure[] {
  if (!budget || !CONCERNED.includes(request.kind)) return [];
  const { zone, since } = budget;
  if (zone !== 'red' && (zone !== 'yellow' || isCritical(budget, request))) return [];
  const paused = zone === 'red' ? 'all releases are frozen' : 'releases that are not critical are paused';
  const stale = isStale(budget, at) ? `. ${staleText(budget).replace(/\.$/, '')}` : '';
  return decisive(budget).map((slo) => ({
    source: 'error-budget',
    rule: slo.name,
    reason: `${zone} since ${iso(since)}, so ${paused}: ${describeSlo(slo)}; it lifts when ${liftedBy(slo)}${stale}`,
  }));
}

/** Whether a release is critical, by its service or by its own word where that counts. */
export const isCritical = ({ critical }: Pick<BudgetState, 'critical'>, request: ChangeRequest): boolean =>
  (request.service !== undefined && critical.services.includes(request.service)) ||
  (request.critical === true && critical.onRequest);
