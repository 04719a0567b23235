import type { Told } from '../../contracts/budget-messages.ts';
import { isStale, type BudgetState } from './state.ts';

/** Who is told, by the catalog. */
export interface Channels {
  notify: string[];
  stakeholders: string[];
}

/**
 * Channels that have not been told of the zone as it is now. Stakeholders hear of the beginning and the end of red; of a
 * first zone that is green nobody need hear.
 */
export function untold({ zone, since, former, told }: BudgetState, { notify, stakeholders }: Channels): string[] {
  if (zone === 'unknown' || (zone === 'green' && former === 'unknown')) return [];
  const wanted = zone === 'red' || former === 'red' ? [...notify, ...stakeholders] : notify;
  const heard = told?.zone === zone && told.since === since ? told.channels : [];
  return [...new Set(wanted)].filter((channel) => !heard.includes(channel));
}

/** What is remembered once more channels were told of the zone. */
export function toldOf({ zone, since, told }: BudgetState, channels: string[]): Told {
  const same = told?.zone === zone && told.since === since;
  return {
    zone,
    since,
    channels: [...new Set([...(same ? told.channels : []), ...channels])],
    ...(told?.stale ? { stale: true } : {}),
    ...(told?.workflowFault ? { workflowFault: true } : {}),
  };
}

/** Whether people must hear now that it is not measured any more, or that it is again. */
export function staleNews(budget: BudgetState): 'stale' | 'measured-again' | undefined {
  const stale = isStale(budget, budget.at);
  if (stale === (budget.told?.stale ?? false)) return undefined;
  return stale ? 'stale' : 'measured-again';
}
