import { heartbeat } from '@temporalio/activity';
import { createHash } from 'node:crypto';
import { failure, isFailure } from '../src/adapters/failure.ts';
import { outline, type Outlined } from '../src/catalog/runbook-outline.ts';
import type { Plan } from '../src/contracts/plan.ts';
import type { RunbookSlice } from '../src/contracts/run-runbook.ts';
import { ExpressionFault } from '../src/expressions/fault.ts';
import { toGateSpec } from '../src/domain/gate.ts';
import { placeOf } from '../src/domain/runbook/place.ts';
import type { Occasion } from '../src/domain/runbook/scope.ts';
import { composePlan, type PlannedStep } from '../src/domain/runbook/plan.ts';
import type { ActionDependencies } from './action-context.ts';
import { planCall } from './actions.ts';

export interface RunbookPlanRequest extends Occasion {
  slice: RunbookSlice;
  /** Unique per run. */
  key: string;
}

export function createRunbookActivities(deps: ActionDependencies) {
  return {
    /**
     * What a run would change, found out by looking only: every changing step whose parameters are known is planned as
     * things are now. One that cannot be planned yet, because an earlier step makes what it changes, is a warning.
     * @throws ExpressionFailed, Unavailable
     */
    async planRunbook({ slice, key, ...occasion }: RunbookPlanRequest): Promise<Plan> {
      const outlined = named(() => outline(slice, occasion));
      const steps: PlannedStep[] = [];
      for (const step of outlined) {
        heartbeat();
        steps.push(await planStep(step, slice, key));
      }
      const plan = composePlan(slice, steps);
      const intent = [slice.runbooks, slice.runbook, slice.parameters, slice.service?.service, occasion, plan.changes];
      const digest = createHash('sha256').update(JSON.stringify(intent)).digest('hex');
      return { ...plan, digest: `sha256:${digest}` };
    },
  };

  async function planStep(step: Outlined, slice: RunbookSlice, key: string): Promise<PlannedStep> {
    if (step.kind === 'gate') return { kind: 'gate', label: step.label, spec: toGateSpec(step.gate) };
    if (step.kind !== 'change') return step;
    const { label, action, call, undone, leased } = step;
    const request = { action, parameters: call.with, place: placeOf(slice), key: `${key}/${label}` };
    try {
      const { lines } = await planCall(deps, request);
      return { kind: 'change', label, action, lines, undone, leased };
    } catch (error) {
      if (isFailure(error, ...HOPELESS)) {
        const message = `step ${label} (${action}): ${error.message}`;
        return { kind: 'refused', label, action, refusal: { code: error.type!, message } };
      }
      if (isFailure(error, 'NotFound', 'Interfered', 'ChecksFailed', 'Refused')) {
        return { kind: 'unclear', label, action, why: error.message, undone, leased };
      }
      throw error;
    }
  }
}

/** What no earlier step can make good. */
const HOPELESS = ['InvalidInput', 'Forbidden', 'WrongCluster', 'SecretMissing'] as const;

/** @throws ExpressionFailed for an ExpressionFault */
export function named<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof ExpressionFault ? failure('ExpressionFailed', error.message) : error;
  }
}
