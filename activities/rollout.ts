import { watchRollout } from '../src/actions/kubernetes/watch-rollout.ts';
import type { Dependencies } from './dependencies.ts';
import { openTarget } from './guard.ts';
import type { ReleaseActivities } from './release-types.ts';
import { activityTools } from './tools.ts';

/** Watches new pods become ready. It changes nothing. */
export function createRolloutActivities({
  kubernetes,
}: Pick<Dependencies, 'kubernetes'>): Pick<ReleaseActivities, 'awaitRollout'> {
  return {
    /** As `watchRollout`. @throws NotFound when the Deployment is gone */
    async awaitRollout({ target, deployment: name, timeoutMs }) {
      const cluster = await openTarget(kubernetes, target);
      const { namespace } = target;
      return watchRollout(activityTools(), cluster, { kind: 'Deployment', namespace, name, timeoutMs });
    },
  };
}
