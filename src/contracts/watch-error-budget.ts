import { z } from 'zod';
import type { BudgetState } from '../domain/budget/state.ts';
import type { EnvironmentSlice } from './catalog.ts';
import type { Contract } from './contract.ts';
import type { CatalogErrorBudget } from './error-budget.ts';
import type { EvidenceRef } from './evidence.ts';
import type { Plan } from './plan.ts';
import { person, place } from './scalars.ts';

const input = z.strictObject({
  ...place,
  requestedBy: person,
  planOnly: z.boolean().default(false).describe('Show what would follow and touch nothing'),
});

export type WatchErrorBudgetInput = z.output<typeof input>;

/** What the watch of an error budget needs of the catalog. */
export interface BudgetSlice extends EnvironmentSlice {
  budget: CatalogErrorBudget;
}

/** What was measured of one objective; without ratios, why not. */
export interface SloMeasurement {
  slo: string;
  /** Part that was bad within the window, 0 to 1. */
  errorRatio?: number;
  /** The same within the burn window. */
  recentErrorRatio?: number;
  error?: string;
}

export interface WatchErrorBudgetResult {
  /** `superseded`: somebody else measured later, and what follows is theirs to do. */
  outcome: 'measured' | 'superseded' | 'planned';
  zone: BudgetState['zone'];
  /** ISO 8601. */
  since: string;
  /** The zone before, when this run changed it. */
  from?: BudgetState['zone'];
  slos: { name: string; zone: BudgetState['zone']; remaining?: number; burnRate?: number; fault?: string }[];
  /** What was done to the workflow at GitHub, or why it was left. */
  deployWorkflow?: string;
  evidence?: EvidenceRef;
  plan?: Plan;
}

export const watchErrorBudget: Contract<typeof input> = {
  procedure: 'watchErrorBudget',
  description:
    'Measures the error budgets of an environment and tells change control its zone: yellow pauses releases that are not critical, red all of them.',
  input,
  example: { system: 'sandbox', environment: 'local', requestedBy: 'kim' },
  workflowId: (of) => `error-budget/${of.system}/${of.environment}`,
};
