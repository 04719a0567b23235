import type { Deployment, EndpointSlice, Labels, Metadata, Pod, ReplicaSet } from './objects.ts';
import { TEMPLATE_HASH } from './selectors.ts';

/** The annotation in which the Deployment controller numbers templates. */
export const REVISION = 'deployment.kubernetes.io/revision';

const controllerOf = ({ ownerReferences = [] }: Metadata) => ownerReferences.find(({ controller }) => controller);

/**
 * Name of the Deployment that made a pod, from the name of its ReplicaSet, `<deployment>-<pod-template-hash>`; for a
 * pod of anything else its kind and name, `StatefulSet/db` or `Pod/debug`.
 */
export function workloadOf({ metadata }: Pod): string {
  const owner = controllerOf(metadata);
  const hash = metadata.labels?.[TEMPLATE_HASH];
  if (owner?.kind === 'ReplicaSet' && hash && owner.name.endsWith(`-${hash}`))
    return owner.name.slice(0, -hash.length - 1);
  return owner ? `${owner.kind}/${owner.name}` : `Pod/${metadata.name}`;
}

/** Whether its controller has seen its newest template. Until then status and pods tell of the one before. */
export const isObserved = ({ metadata, status }: Deployment): boolean =>
  (status?.observedGeneration ?? 0) >= (metadata.generation ?? 1);

/**
 * The template hash of a Deployment's pods: that of its current ReplicaSet. Undefined while the controller has not seen
 * the newest template, or while pods of an older one are left.
 */
export function currentTemplateHash(deployment: Deployment, replicaSets: ReplicaSet[]): string | undefined {
  const { status } = deployment;
  if (!isObserved(deployment)) return undefined;
  if ((status?.updatedReplicas ?? 0) < (status?.replicas ?? 0)) return undefined;
  return replicaSetOf(deployment, replicaSets)?.metadata.labels?.[TEMPLATE_HASH];
}

/** Whether the controller of an object is this Deployment. */
export const isOwnedBy = (owned: Metadata, { metadata }: Deployment): boolean =>
  controllerOf(owned)?.uid === metadata.uid;

/** The ReplicaSet of the newest template that the controller has seen, also while older ones still have pods. */
export const replicaSetOf = (deployment: Deployment, replicaSets: ReplicaSet[]): ReplicaSet | undefined =>
  replicaSets.find(
    ({ metadata }) =>
      isOwnedBy(metadata, deployment) &&
      metadata.annotations?.[REVISION] === deployment.metadata.annotations?.[REVISION],
  );

/** Whether a pod is on its way out: it gets no new connections any more. */
export const isLeaving = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined || hasEnded(pod);

/** Whether nothing of a pod runs any more; its object may stay, as that of an evicted pod does. */
export const hasEnded = ({ status }: Pod): boolean => ['Succeeded', 'Failed'].includes(status?.phase ?? '');

export const isReady = (pod: Pod): boolean =>
  !isLeaving(pod) && (pod.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');

/** Distinct ids of the images that run in these pods: all of their containers, or the named one. */
export function imageIdsOf(pods: Pod[], container?: string): string[] {
  const statuses = pods.flatMap((pod) => pod.status?.containerStatuses ?? []);
  const ids = statuses
    .filter(({ name }) => container === undefined || name === container)
    .map(({ imageID }) => imageID);
  return [...new Set(ids)].filter((id): id is string => Boolean(id)).sort();
}

/** Endpoints of a Service by workload: how many there are, and how many of them are ready. */
export function endpointsByWorkload(
  slices: EndpointSlice[],
  workloadOfPod: (name: string) => string | undefined,
): { all: Record<string, number>; ready: Record<string, number> } {
  const all: Record<string, number> = {};
  const ready: Record<string, number> = {};
  for (const { targetRef, conditions } of slices.flatMap(({ endpoints }) => endpoints ?? [])) {
    const workload = (targetRef?.name && workloadOfPod(targetRef.name)) || `unknown/${targetRef?.name ?? 'address'}`;
    all[workload] = (all[workload] ?? 0) + 1;
    if (conditions?.ready) ready[workload] = (ready[workload] ?? 0) + 1;
  }
  return { all, ready };
}

/** `app=shop,version=blue`, as the API server's label selectors are written. */
export const labelText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
