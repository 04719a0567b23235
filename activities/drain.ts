import { failure } from '../src/adapters/failure.ts';
import type { Cluster } from '../src/adapters/kubernetes/cluster.ts';
import type { Target } from '../src/contracts/catalog.ts';
import { endpointsByWorkload, labelText, workloadOf } from '../src/domain/release/ownership.ts';
import { TEMPLATE_HASH } from '../src/domain/release/selectors.ts';
import type { Dependencies } from './dependencies.ts';
import { openTarget } from './guard.ts';
import type { ReleaseActivities, Traffic } from './release-types.ts';
import { startedAt, watch } from './watch.ts';

const EVERY_MS = 200;

/** Where traffic really goes: the EndpointSlices, which follow the selector a moment later. These change nothing. */
export function createDrainActivities({
  kubernetes,
}: Pick<Dependencies, 'kubernetes'>): Pick<ReleaseActivities, 'observeTraffic' | 'awaitDrained'> {
  return {
    async observeTraffic({ target, deployment }) {
      return createObserver(await openTarget(kubernetes, target), target)(deployment);
    },

    /**
     * Returns when only that Deployment has endpoints. New connections go nowhere else then; open ones may.
     * @throws Unavailable when this does not happen in time
     */
    async awaitDrained({ target, deployment, timeoutMs }) {
      const observe = createObserver(await openTarget(kubernetes, target), target);
      const since = startedAt();
      const settled = await watch(
        EVERY_MS,
        async () => {
          const { only, ready } = await observe(deployment);
          if (only) return {};
          return Date.now() - since.startedAt < timeoutMs ? undefined : { ready };
        },
        since,
      );
      if (settled.ready) throw late(target, deployment, timeoutMs, settled.ready);
      return { settledAt: new Date().toISOString() };
    },
  };
}

/** Remembers whose pod is whose, so that the pods are listed only when a new one appears. */
function createObserver(cluster: Cluster, { namespace, kubernetesService }: Target) {
  const workloads = new Map<string, string>();
  return async (deployment: string): Promise<Traffic> => {
    const slices = await cluster.list('EndpointSlice', namespace, {
      labelSelector: labelText({ 'kubernetes.io/service-name': kubernetesService }),
    });
    const names = slices.flatMap(({ endpoints }) => endpoints ?? []).map(({ targetRef }) => targetRef?.name ?? '');
    if (names.some((name) => !workloads.has(name)))
      for (const pod of await cluster.list('Pod', namespace, { labelSelector: TEMPLATE_HASH }))
        workloads.set(pod.metadata.name, workloadOf(pod));
    const { all, ready } = endpointsByWorkload(slices, (name) => workloads.get(name));
    const only = Object.keys(all).every((workload) => workload === deployment) && (ready[deployment] ?? 0) > 0;
    return { only, ready };
  };
}

const late = (target: Target, deployment: string, timeoutMs: number, ready: Record<string, number>) =>
  failure(
    'Unavailable',
    `After ${timeoutMs / 1000} s the EndpointSlices of Service ${target.kubernetesService} do not list only ${deployment}; ready now: ${JSON.stringify(ready)}. Is the controller manager running?`,
  );
