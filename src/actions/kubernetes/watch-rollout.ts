import type { Cluster } from '../../adapters/kubernetes/cluster.ts';
import type { Deployment, KubernetesEvent, Pod, ReplicaSet } from '../../domain/release/objects.ts';
import {
  imageIdsOf,
  isLeaving,
  isObserved,
  labelText,
  replicaSetOf,
  workloadOf,
} from '../../domain/release/ownership.ts';
import { explainRollout, isRolledOut, type RolloutResult } from '../../domain/release/rollout.ts';
import { TEMPLATE_HASH } from '../../domain/release/selectors.ts';
import type { ActionContext } from '../action.ts';
import { startedAt } from '../started-at.ts';
import { watch } from '../watch.ts';
import type { WorkloadReference } from './workload.ts';

const EVERY_MS = 500;
/** A pod that is ready and dies at once (out of memory after its start, for example) must not count as rolled out. */
const HELD_MS = 2_000;
/** As TEMPLATE_HASH, of a StatefulSet. */
const REVISION_HASH = 'controller-revision-hash';

export interface RolloutRequest extends WorkloadReference {
  namespace: string;
  timeoutMs: number;
}

/**
 * Watches the pods of the newest template become ready. It changes nothing. Ends when all replicas were available for
 * two seconds, when the cause of a failure is certain, or after `timeoutMs`, counted from the first attempt.
 * @throws NotFound when the workload is gone
 */
export async function watchRollout(
  tools: Pick<ActionContext, 'heartbeat' | 'sleep' | 'former' | 'now'>,
  cluster: Cluster,
  { kind, namespace, name, timeoutMs }: RolloutRequest,
): Promise<RolloutResult> {
  const since = startedAt(tools);
  let completeSince: number | undefined;
  const look = async (): Promise<RolloutResult | undefined> => {
    const workload = await cluster.read(kind, namespace, name);
    const { templateHash, pods } = await podsOf(cluster, kind, workload);
    if (isRolledOut(workload) && templateHash) {
      completeSince ??= tools.now();
      if (tools.now() - completeSince < HELD_MS) return undefined;
      return { ready: true, uid: workload.metadata.uid, templateHash, imageIds: imageIdsOf(pods) };
    }
    completeSince = undefined;
    const events = await eventsOf(cluster, pods);
    const trouble = isObserved(workload) && explainRollout({ deployment: workload, pods, events, now: tools.now() });
    if (trouble && trouble.certain) return { ready: false, reason: trouble.reason, detail: trouble.detail };
    if (tools.now() - since.startedAt < timeoutMs) return undefined;
    return trouble
      ? { ready: false, reason: trouble.reason, detail: `${trouble.detail} (after ${timeoutMs / 1000} s)` }
      : { ready: false, reason: 'timeout', detail: progressOf(workload, timeoutMs) };
  };
  return watch(tools, EVERY_MS, look, since);
}

/**
 * The pods of a workload's newest template. Its selector alone may take in pods of another color. With the strategy
 * Recreate the ReplicaSet of a new template is made only when the old pods are gone: the newest that there is has been
 * scaled to 0, and the pods that it still has speak of what was before.
 */
async function podsOf(
  cluster: Cluster,
  kind: WorkloadReference['kind'],
  workload: Deployment,
): Promise<{ templateHash?: string; pods: Pod[] }> {
  const { metadata, spec } = workload;
  const selection = { labelSelector: labelText(spec.selector.matchLabels ?? {}) };
  const [templateHash, pods] = await Promise.all([
    kind === 'Deployment'
      ? cluster
          .list('ReplicaSet', metadata.namespace, selection)
          .then((replicaSets) => replicaSetOf(workload, replicaSets))
          .then((newest) => (makesRoom(workload, newest) ? undefined : newest?.metadata.labels?.[TEMPLATE_HASH]))
      : workload.status?.updateRevision,
    cluster.list('Pod', metadata.namespace, selection),
  ]);
  if (!templateHash) return { pods: [] };
  const [owner, label] =
    kind === 'Deployment' ? [metadata.name, TEMPLATE_HASH] : [`StatefulSet/${metadata.name}`, REVISION_HASH];
  const own = pods.filter(
    (pod) => workloadOf(pod) === owner && pod.metadata.labels?.[label] === templateHash && !isLeaving(pod),
  );
  return { templateHash, pods: own };
}

const makesRoom = (workload: Deployment, newest: ReplicaSet | undefined): boolean =>
  newest?.spec?.replicas === 0 && workload.spec.replicas !== 0;

/** Events are only asked for pods that may be in trouble: they are many, and most rollouts need none. */
async function eventsOf(cluster: Cluster, pods: Pod[]): Promise<KubernetesEvent[]> {
  const unready = pods
    .filter(({ status }) => (status?.containerStatuses ?? []).some(({ ready }) => !ready))
    .slice(0, 3);
  return eventsOfPods(cluster, unready);
}

/** Events of these pods, asked for one pod each: a namespace may have very many. */
export async function eventsOfPods(cluster: Cluster, pods: Pod[]): Promise<KubernetesEvent[]> {
  const found = await Promise.all(
    pods.map(({ metadata }) =>
      cluster.list('Event', metadata.namespace, { fieldSelector: `involvedObject.uid=${metadata.uid}` }),
    ),
  );
  return found.flat();
}

const progressOf = ({ spec, status }: Deployment, timeoutMs: number): string =>
  `after ${timeoutMs / 1000} s ${status?.availableReplicas ?? 0} of ${spec.replicas ?? 1} replicas are available, ${status?.updatedReplicas ?? 0} run the new template`;
