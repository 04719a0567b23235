import { createAutoscalerActivities } from './autoscaler.ts';
import { createCheckActivities } from './checks.ts';
import { createColorActivities } from './color.ts';
import { createColorEvidenceActivities } from './color-evidence.ts';
import { createColorRemovalActivities } from './color-removal.ts';
import type { Dependencies } from './dependencies.ts';
import { createDrainActivities } from './drain.ts';
import { createInterferenceActivities } from './interference.ts';
import { createJobActivities } from './jobs.ts';
import { createObserveActivities } from './observe.ts';
import { createReleasePlanActivities } from './release-plan.ts';
import type { ReleaseActivities } from './release-types.ts';
import { createRolloutActivities } from './rollout.ts';
import { createTrafficActivities } from './traffic.ts';

/** Everything that releases, rollbacks and retirements do to a cluster, and read of it. */
export function createReleaseActivities(deps: Pick<Dependencies, 'kubernetes' | 'objects'>): ReleaseActivities {
  return {
    ...createReleasePlanActivities(deps),
    ...createObserveActivities(deps),
    ...createTrafficActivities(deps),
    ...createDrainActivities(deps),
    ...createColorActivities(deps),
    ...createRolloutActivities(deps),
    ...createColorRemovalActivities(deps),
    ...createAutoscalerActivities(deps),
    ...createCheckActivities(deps),
    ...createInterferenceActivities(deps),
    ...createJobActivities(deps),
    ...createColorEvidenceActivities(deps),
  };
}
