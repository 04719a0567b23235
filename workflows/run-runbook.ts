import { workflowInfo } from '@temporalio/workflow';
import type { Plan } from '../src/contracts/plan.ts';
import { runRunbook as contract, type RunRunbookResult } from '../src/contracts/run-runbook.ts';
import { quick, routed } from './parts/activities.ts';
import { closedRefusals } from './parts/admission.ts';
import { carryOut, prepare } from './parts/carry-out.ts';
import { useGates } from './parts/gates.ts';
import { parseInput } from './parts/input.ts';
import { planRun } from './parts/right.ts';

/**
 * Carries out a runbook of the catalog. What it changes is planned and leased first; a step that fails waits for a
 * person; a gate that is not approved, an abort and a cancellation take everything back, the last change first.
 */
export async function runRunbook(raw: unknown): Promise<RunRunbookResult> {
  const input = parseInput(contract, raw);
  const parts = prepare(contract.procedure, input, {
    summary: `${input.runbook}${input.service ? ` of ${input.service}` : ''} in ${input.environment}`,
    priority: input.priority,
  });
  const { procedure, undo } = parts;
  const gates = useGates(procedure);

  return carryOut(parts, async (): Promise<RunRunbookResult> => {
    await procedure.step('planning', `Plan runbook ${input.runbook}`);
    const { system, environment, runbook, service, parameters } = input;
    const slice = routed(
      await quick('Read the catalog').loadRunbook({
        system,
        environment,
        runbook,
        parameters,
        ...(service === undefined ? {} : { service }),
      }),
    );
    procedure.setChannels(slice.notify);
    const key = `runs/${workflowInfo().workflowId}/${workflowInfo().firstExecutionRunId}`;
    const right = await planRun({ parts, gates, slice, input, key });
    if (input.planOnly) {
      const { plan } = right;
      const refusals = plan.changes.length > 0 ? await closedRefusals(procedure, input.priority) : [];
      return { outcome: 'planned', steps: [], plan: { ...plan, refusals: [...plan.refusals, ...refusals] } };
    }
    await right.begin();
    // The library of expressions takes 250 KB of every workflow that loads it, and a parked release needs none.
    const { useSteps } = await import(/* webpackMode: "eager" */ './parts/steps.ts');
    const results = await useSteps({ parts, gates, slice, input, right, key }).run();
    await undo.settle();
    procedure.tell(`Runbook ${runbook} is done, asked by ${input.requestedBy}.`);
    return { outcome: 'completed', steps: results(), plan: withoutDiffs(right.plan) };
  });
}

/** The result is small; the whole plan is in the history as the result of its activity. */
const withoutDiffs = (plan: Plan): Plan => ({
  ...plan,
  changes: plan.changes.map(({ diff: _, ...change }) => change),
});
