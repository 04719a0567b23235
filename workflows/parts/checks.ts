import type { ServiceSlice } from '../../src/contracts/catalog.ts';
import type { ReleasePlan } from '../../src/domain/release/plan-types.ts';
import { judgeRounds } from '../../src/domain/release/verdict.ts';
import { quick } from './activities.ts';
import { failure } from './failure.ts';
import type { Procedure } from './procedure.ts';

/** A release does not start on a system that is not well: its failure could not be told from the old one's. */
export async function checkFitness(procedure: Procedure, slice: ServiceSlice, plan: ReleasePlan): Promise<void> {
  await procedure.step('planning', 'Check health and service levels');
  const faults = await faultsOf(slice, plan);
  if (faults.length > 0)
    throw failure('ChecksFailed', `${slice.service} is not fit for a release: ${faults.join('; ')}.`);
}

/** What speaks against a release now, in words: unhealthy checks, service levels out of target. Missing data does not. */
export async function faultsOf(slice: ServiceSlice, { target, from }: ReleasePlan): Promise<string[]> {
  const health = await quick('Health of the release that serves').checkHealth({
    target,
    spec: slice.spec,
    via: target.kubernetesService,
  });
  if (slice.spec.sla.length === 0) return health.faults;
  const measured = await quick('Service levels').measure({
    slice,
    metrics: 'sla',
    deployment: from.deployment,
    templateHash: from.templateHash ?? '',
  });
  const { verdict, reasons } = judgeRounds(
    slice.spec.sla.map((metric) => ({ ...metric, failureLimit: 1 })),
    [measured],
  );
  return verdict === 'Fail' || verdict === 'Error' ? [...health.faults, ...reasons] : health.faults;
}
