import type { WorkflowMemory } from '../../contracts/budget-messages.ts';
import { isWorse, type Zone } from './zone.ts';

/** How GitHub names the state of a workflow: `active`, `disabled_manually`, `disabled_inactivity`… */
export type WorkflowState = string;

/** What a zone asks of the workflow at GitHub: between the zone that disables it and green it stays as it is. */
export function wantedOf(zone: Zone, disabledIn: 'yellow' | 'red'): 'disabled' | 'enabled' | 'as-it-is' {
  if (zone !== 'unknown' && !isWorse(disabledIn, zone)) return 'disabled';
  return zone === 'green' ? 'enabled' : 'as-it-is';
}

/** Whether GitHub must be asked at all. */
export function mustLook(wanted: ReturnType<typeof wantedOf>, memory: WorkflowMemory['state'] | undefined): boolean {
  if (wanted === 'disabled') return memory === undefined || memory === 'disabling' || memory === 'disabled';
  return wanted === 'enabled' && (memory === 'disabling' || memory === 'disabled');
}

export interface WorkflowStep {
  /** What is remembered before anything is done, so that a crash does not hide who did it. */
  before?: WorkflowMemory['state'];
  act?: 'disable' | 'enable';
  /** What is remembered afterwards; null: nothing. Absent: as it is. */
  after?: WorkflowMemory['state'] | null;
  /** Why it is left as somebody else made it. */
  left?: string;
}

/**
 * What follows from the state that GitHub tells. Only what was disabled from here is enabled from here; and what a person
 * enabled meanwhile is not disabled again.
 */
export function workflowStep(
  wanted: 'disabled' | 'enabled',
  memory: WorkflowMemory['state'] | undefined,
  state: WorkflowState,
): WorkflowStep {
  const active = state === 'active';
  if (wanted === 'enabled') return state === 'disabled_manually' ? { act: 'enable', after: null } : { after: null };
  if (memory === 'disabled')
    return active ? { after: 'left-enabled', left: 'somebody enabled it again and it is left so' } : {};
  if (!active)
    return memory === 'disabling'
      ? { after: 'disabled' }
      : { after: 'found-disabled', left: `it was ${state} before and stays so, in green too` };
  return { ...(memory === 'disabling' ? {} : { before: 'disabling' as const }), act: 'disable', after: 'disabled' };
}
