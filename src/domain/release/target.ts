import type { ServiceSlice, Target } from '../../contracts/catalog.ts';

/** Where a slice acts. The cluster's UID is the catalog's, or learned when a plan is drafted. */
export function targetOf(slice: Omit<ServiceSlice, 'policies'>, clusterUid = slice.cluster.uid): Target {
  return {
    system: slice.system,
    environment: slice.environment,
    service: slice.service,
    context: slice.cluster.context,
    ...(clusterUid ? { clusterUid } : {}),
    namespace: slice.namespace,
    kubernetesService: slice.spec.kubernetesService,
  };
}
