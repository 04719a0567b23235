import { FIELD_MANAGER, type Cluster } from '../src/adapters/kubernetes/cluster.ts';
import type { CatalogService, Target } from '../src/contracts/catalog.ts';
import { describeService } from '../src/domain/release/live.ts';
import type { Deployment, Service, VolumeClaim } from '../src/domain/release/objects.ts';
import { labelText } from '../src/domain/release/ownership.ts';
import type { LiveService } from '../src/domain/release/state.ts';
import type { Dependencies } from './dependencies.ts';
import { openTarget } from './guard.ts';
import type { ReleaseActivities } from './release-types.ts';

/** What is there now. This changes nothing. */
export function createObserveActivities({
  kubernetes,
}: Pick<Dependencies, 'kubernetes'>): Pick<ReleaseActivities, 'observeService'> {
  return {
    /** @throws NotFound (no such Service), WrongCluster, Forbidden, Unavailable */
    async observeService({ target, spec }) {
      return (await observe(await openTarget(kubernetes, target), target, spec)).live;
    },
  };
}

export interface Observation {
  live: LiveService;
  /** The objects themselves, for manifests made from them. */
  service: Service;
  deployments: Deployment[];
  /** Endpoints of the Service that belong to no Deployment: `StatefulSet/db`, `Pod/debug`. */
  otherWorkloads: string[];
}

/** Reads everything that concerns a service at one moment, as far as parallel reads are one. */
export async function observe(
  cluster: Cluster,
  { namespace, kubernetesService }: Target,
  spec: CatalogService,
): Promise<Observation> {
  const byService = { labelSelector: labelText({ 'kubernetes.io/service-name': kubernetesService }) };
  const [clusterUid, service, deployments, replicaSets, pods, slices, autoscalers, budgets, quotas] = await Promise.all(
    [
      cluster.identity(),
      cluster.read('Service', namespace, kubernetesService),
      cluster.list('Deployment', namespace),
      cluster.list('ReplicaSet', namespace),
      cluster.list('Pod', namespace),
      cluster.list('EndpointSlice', namespace, byService),
      cluster.list('HorizontalPodAutoscaler', namespace),
      cluster.list('PodDisruptionBudget', namespace),
      cluster.list('ResourceQuota', namespace),
    ],
  );
  const claims = await claimsOf(cluster, namespace, deployments);
  const read = { clusterUid, service, deployments, replicaSets, pods, slices, autoscalers, budgets, quotas, claims };
  const live = describeService(read, spec, FIELD_MANAGER);
  return {
    live,
    service,
    deployments,
    otherWorkloads: Object.keys(live.readyEndpoints).filter((name) => name.includes('/')),
  };
}

async function claimsOf(cluster: Cluster, namespace: string, deployments: Deployment[]): Promise<VolumeClaim[]> {
  const volumes = deployments.flatMap(({ spec }) => spec.template.spec.volumes ?? []);
  const names = new Set(volumes.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []));
  const found = await Promise.all([...names].map((name) => cluster.find('PersistentVolumeClaim', namespace, name)));
  return found.filter((each) => each !== undefined);
}
