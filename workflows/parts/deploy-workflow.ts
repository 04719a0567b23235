import type { WorkflowMemory } from '../../src/contracts/budget-messages.ts';
import type { CatalogErrorBudget } from '../../src/contracts/error-budget.ts';
import { mustLook, wantedOf, workflowStep, type WorkflowStep } from '../../src/domain/budget/deploy-workflow.ts';
import { nameOfWorkflow } from '../../src/domain/budget/report.ts';
import type { BudgetState } from '../../src/domain/budget/state.ts';
import { notice } from './activities.ts';

/** What is to be done to the workflow at GitHub. */
export interface WorkflowWork {
  of: string;
  step: WorkflowStep;
}

/**
 * Looks at GitHub and decides; undefined when nothing is to be done. Reads only.
 * @throws what the activity does, after a minute at most: nothing else waits longer for GitHub
 */
export async function lookAtWorkflow(
  budget: CatalogErrorBudget,
  { zone, workflow }: Pick<BudgetState, 'zone' | 'workflow'>,
): Promise<WorkflowWork | undefined> {
  const { deployWorkflow } = budget;
  const of = nameOfWorkflow(budget);
  if (!deployWorkflow || !of) return undefined;
  // Another one was named before: what was done to that one says nothing of this.
  const memory = workflow?.of === of ? workflow.state : undefined;
  const wanted = wantedOf(zone, deployWorkflow.disabledIn);
  if (wanted === 'as-it-is') return undefined;
  if (!mustLook(wanted, memory)) return wanted === 'enabled' && memory ? { of, step: { after: null } } : undefined;
  const { state } = await notice('Look at the workflow at GitHub').readDeployWorkflow({ workflow: deployWorkflow });
  return { of, step: workflowStep(wanted, memory, state) };
}

/**
 * Does it. What is about to be done is remembered first, so that it is known afterwards who did it, whatever crashes.
 * @returns what happened, in words; undefined when nothing did
 */
export async function changeWorkflow(
  { deployWorkflow }: CatalogErrorBudget,
  { of, step }: WorkflowWork,
  remember: (memory: WorkflowMemory | null) => Promise<void>,
): Promise<string | undefined> {
  const { before, act, after, left } = step;
  if (before) await remember({ of, state: before });
  if (act && deployWorkflow)
    await notice(`${act === 'disable' ? 'Disable' : 'Enable'} ${of} at GitHub`).setDeployWorkflow({
      workflow: deployWorkflow,
      to: act,
    });
  if (after !== undefined) await remember(after && { of, state: after });
  if (act) return `${of} is ${act}d at GitHub`;
  return left && `${of} at GitHub: ${left}`;
}

/** What would be done, in words. */
export const plannedWords = ({ step: { act, left } }: WorkflowWork): string | undefined => act ?? left;
