import { workflowInfo } from '@temporalio/workflow';
import type { BudgetMessage } from '../src/contracts/budget-messages.ts';
import { watchErrorBudget as contract, type WatchErrorBudgetResult } from '../src/contracts/watch-error-budget.ts';
import { budgetPlan, reportOf, resultOf } from '../src/domain/budget/report.ts';
import { takeBudget, type BudgetReply } from '../src/domain/budget/state.ts';
import { describeBudget, describeSlo } from '../src/domain/budget/words.ts';
import { quick, routed } from './parts/activities.ts';
import { followZone } from './parts/budget.ts';
import { lookAtWorkflow, plannedWords } from './parts/deploy-workflow.ts';
import { failure, messageOf, typeOf } from './parts/failure.ts';
import { parseInput } from './parts/input.ts';
import { startProcedure } from './parts/procedure.ts';

/**
 * Measures the error budgets of an environment once and does what follows from their zone. What is known is kept by
 * change control, and what did not get done is done by the next run: a Schedule starts it again and again.
 * Input: `WatchErrorBudgetInput`; result: `WatchErrorBudgetResult`.
 */
export async function watchErrorBudget(raw: unknown): Promise<WatchErrorBudgetResult> {
  const input = parseInput(contract, raw);
  const at = { system: input.system, environment: input.environment };
  const procedure = startProcedure(contract.procedure, input);
  let messages = 0;
  const nextId = (): string => `${workflowInfo().runId}/${messages++}`;
  const tellControl = (message: BudgetMessage): Promise<BudgetReply> =>
    quick('Tell change control').reportErrorBudget({ at, message });

  try {
    const result = await procedure.stoppable(watch);
    await procedure.step('done', `${result.outcome}: ${result.zone}`);
    await procedure.settle();
    return result;
  } catch (error) {
    await procedure.step('failed', `${typeOf(error)}: ${messageOf(error)}`);
    throw failure(typeOf(error), messageOf(error));
  }

  async function watch(): Promise<WatchErrorBudgetResult> {
    await procedure.step('planning', 'Measure the error budget');
    const slice = routed(await quick('Read the catalog').loadErrorBudget(at));
    procedure.setChannels(slice.budget.notify);
    const now = Date.now();
    const measured = await quick('Ask Prometheus').measureErrorBudget({ slice, at: now });
    const report = reportOf(slice.budget, measured, now, nextId());
    if (input.planOnly) {
      const { budget: before } = await quick('Ask change control').readErrorBudget(at);
      const { budget = before! } = takeBudget(before, report);
      const work = await lookAtWorkflow(slice.budget, budget);
      const plan = budgetPlan(slice, before, budget, work && plannedWords(work));
      procedure.publish({ plan });
      return { ...resultOf(budget), outcome: 'planned', plan };
    }
    await procedure.step('changing', 'Tell change control');
    const { late, budget } = await tellControl(report);
    // Whoever measured later does what follows; and change control never forgets a measurement that it has answered.
    if (late || !budget) return { ...resultOf(budget), outcome: 'superseded' };
    procedure.show('zone', describeBudget(budget, budget.at));
    budget.slos.forEach((slo) => procedure.show(slo.name, `${slo.zone}: ${describeSlo(slo)}`));
    const followed = await followZone({ procedure, slice, budget }, (what) =>
      tellControl({ kind: 'settled', requestId: nextId(), at: now, ...what }),
    );
    return { ...resultOf(budget), ...followed };
  }
}
