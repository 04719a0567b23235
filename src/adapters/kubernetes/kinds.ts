import type {
  Autoscaler,
  Deployment,
  DisruptionBudget,
  EndpointSlice,
  Job,
  KubernetesEvent,
  Namespace,
  Node,
  NodeMetrics,
  Pod,
  PodMetrics,
  Quota,
  ReplicaSet,
  Service,
  StatefulSet,
  VolumeClaim,
} from '../../domain/release/objects.ts';

/** Every kind of object that Windlass touches; deploy/rbac grants exactly these. */
export interface Kinds {
  Namespace: Namespace;
  Service: Service;
  EndpointSlice: EndpointSlice;
  Deployment: Deployment;
  StatefulSet: StatefulSet;
  ReplicaSet: ReplicaSet;
  Pod: Pod;
  Event: KubernetesEvent;
  HorizontalPodAutoscaler: Autoscaler;
  PodDisruptionBudget: DisruptionBudget;
  PersistentVolumeClaim: VolumeClaim;
  ResourceQuota: Quota;
  Job: Job;
  Node: Node;
  PodMetrics: PodMetrics;
  NodeMetrics: NodeMetrics;
}

export type Kind = keyof Kinds;

interface Resource {
  /** API group, `''` for the core one, and version. */
  group: string;
  version: string;
  plural: string;
  /** In no namespace: one that is given is ignored. */
  clusterWide?: true;
}

export const RESOURCES: Record<Kind, Resource> = {
  Namespace: { group: '', version: 'v1', plural: 'namespaces', clusterWide: true },
  Service: { group: '', version: 'v1', plural: 'services' },
  EndpointSlice: { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' },
  Deployment: { group: 'apps', version: 'v1', plural: 'deployments' },
  StatefulSet: { group: 'apps', version: 'v1', plural: 'statefulsets' },
  ReplicaSet: { group: 'apps', version: 'v1', plural: 'replicasets' },
  Pod: { group: '', version: 'v1', plural: 'pods' },
  Event: { group: '', version: 'v1', plural: 'events' },
  HorizontalPodAutoscaler: { group: 'autoscaling', version: 'v2', plural: 'horizontalpodautoscalers' },
  PodDisruptionBudget: { group: 'policy', version: 'v1', plural: 'poddisruptionbudgets' },
  PersistentVolumeClaim: { group: '', version: 'v1', plural: 'persistentvolumeclaims' },
  ResourceQuota: { group: '', version: 'v1', plural: 'resourcequotas' },
  Job: { group: 'batch', version: 'v1', plural: 'jobs' },
  Node: { group: '', version: 'v1', plural: 'nodes', clusterWide: true },
  // Of metrics-server or another implementation; https://github.com/kubernetes/metrics
  PodMetrics: { group: 'metrics.k8s.io', version: 'v1beta1', plural: 'pods' },
  NodeMetrics: { group: 'metrics.k8s.io', version: 'v1beta1', plural: 'nodes', clusterWide: true },
};

/** The namespace an object of this kind is in, if any. */
export const namespaceOf = (kind: Kind, namespace: string | undefined): string | undefined =>
  RESOURCES[kind].clusterWide ? undefined : namespace;

/** Path of one object, or of all of a kind in a namespace. Names are encoded: they come from a catalog. */
export function pathOf(kind: Kind, namespace: string | undefined, name?: string): string {
  const { group, version, plural } = RESOURCES[kind];
  const within = namespaceOf(kind, namespace);
  return [
    group ? `/apis/${group}/${version}` : `/api/${version}`,
    ...(within ? ['namespaces', encodeURIComponent(within)] : []),
    plural,
    ...(name ? [encodeURIComponent(name)] : []),
  ].join('/');
}
