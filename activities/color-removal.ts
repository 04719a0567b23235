import { failure } from '../src/adapters/failure.ts';
import type { Cluster } from '../src/adapters/kubernetes/cluster.ts';
import type { Kind } from '../src/adapters/kubernetes/kinds.ts';
import { selectsBy } from '../src/domain/release/manifests.ts';
import type { Deployment, Metadata, Service } from '../src/domain/release/objects.ts';
import { isLeaving, labelText, workloadOf } from '../src/domain/release/ownership.ts';
import { selects, TEMPLATE_HASH } from '../src/domain/release/selectors.ts';
import { MARKS } from '../src/domain/release/state.ts';
import type { Dependencies } from './dependencies.ts';
import { openTarget, readFenced } from './guard.ts';
import type { Fenced, ReleaseActivities, RemovalRequest } from './release-types.ts';
import { watch } from './watch.ts';

const EVERY_MS = 500;
const ROUNDS = 5;

/**
 * Deletes what a release made or replaced. Convergent: each delete names the UID that was read, so one that was done
 * already, or whose process died right after it, finds nothing to do.
 */
export function createColorRemovalActivities({
  kubernetes,
}: Pick<Dependencies, 'kubernetes'>): Pick<ReleaseActivities, 'removeColor' | 'removePreview'> {
  return {
    /**
     * Deletes a Deployment that no traffic goes to, its autoscaler and its disruption budget first, and returns when
     * its pods are gone. @throws Fenced, Refused while the Service selects its pods
     */
    async removeColor(request) {
      const { target, deployment: name } = request;
      const cluster = await openTarget(kubernetes, target);
      const removed = await removeDeployment(cluster, request);
      if (removed === 'another') return { removed: false, message: `${name} is another Deployment now, and stays.` };
      await watch(EVERY_MS, async () => ((await podsLeft(cluster, target.namespace, name)) === 0 ? true : undefined));
      return { removed, message: removed ? `${name} and its pods are gone.` : `${name} was gone already.` };
    },

    /** Deletes the preview Service; one that no release made is left alone. @throws Fenced */
    async removePreview({ target, token, preview }) {
      const cluster = await openTarget(kubernetes, target);
      const found = await cluster.find('Service', target.namespace, preview);
      if (found?.metadata.annotations?.[MARKS.createdBy])
        await removeFenced(cluster, { target, token }, 'Service', found.metadata);
    },
  };
}

async function removeDeployment(cluster: Cluster, request: RemovalRequest): Promise<boolean | 'another'> {
  const { target, deployment: name } = request;
  for (let round = 0; round < ROUNDS; round++) {
    const [service, deployment] = await Promise.all([
      readFenced(cluster, request),
      cluster.find('Deployment', target.namespace, name),
    ]);
    if (!deployment) return false;
    if (!isMeant(deployment, request)) return 'another';
    await assertUnselected(cluster, service, deployment);
    for (const [kind, metadata] of await belongings(cluster, deployment))
      await removeFenced(cluster, request, kind, metadata);
    // Its status changes all the time while pods come and go; the next round reads and judges it anew.
    if ((await removeFenced(cluster, request, 'Deployment', deployment.metadata)) !== 'changed') return true;
  }
  throw failure(
    'Unavailable',
    `Deployment ${name} in namespace ${target.namespace} keeps changing while it is deleted.`,
  );
}

const isMeant = ({ metadata }: Deployment, { uid, createdBy }: RemovalRequest): boolean =>
  uid ? metadata.uid === uid : createdBy !== undefined && metadata.annotations?.[MARKS.createdBy] === createdBy;

async function assertUnselected(cluster: Cluster, { metadata, spec }: Service, deployment: Deployment): Promise<void> {
  const { name, namespace } = deployment.metadata;
  const selector = spec.selector ?? {};
  const labelSelector = labelText(deployment.spec.selector.matchLabels ?? {});
  const pods = await cluster.list('Pod', namespace, { labelSelector });
  const own = pods.filter((pod) => workloadOf(pod) === name && !isLeaving(pod));
  const labels = [deployment.spec.template.metadata?.labels ?? {}, ...own.map((pod) => pod.metadata.labels ?? {})];
  if (labels.some((each) => selects(selector, each)))
    throw failure(
      'Refused',
      `Service ${metadata.name} selects ${labelText(selector)}, which takes in pods of ${name}: it serves, and is not deleted.`,
    );
}

/** Autoscalers that aim at the Deployment, and disruption budgets that cover its pods and no other Deployment's. */
async function belongings(cluster: Cluster, { metadata, spec }: Deployment): Promise<[Kind, Metadata][]> {
  const { namespace, name } = metadata;
  const [autoscalers, budgets, deployments] = await Promise.all([
    cluster.list('HorizontalPodAutoscaler', namespace),
    cluster.list('PodDisruptionBudget', namespace),
    cluster.list('Deployment', namespace),
  ]);
  const others = deployments.filter((each) => each.metadata.name !== name);
  const covers = (selector: Parameters<typeof selectsBy>[0], of: Deployment['spec']): boolean =>
    selectsBy(selector, of.template.metadata?.labels ?? {});
  return [
    ...autoscalers
      .filter(({ spec: { scaleTargetRef } }) => scaleTargetRef.kind === 'Deployment' && scaleTargetRef.name === name)
      .map((each): [Kind, Metadata] => ['HorizontalPodAutoscaler', each.metadata]),
    ...budgets
      .filter((each) => covers(each.spec.selector, spec))
      .filter((each) => !others.some((other) => covers(each.spec.selector, other.spec)))
      .map((each): [Kind, Metadata] => ['PodDisruptionBudget', each.metadata]),
  ];
}

/** Deletes what was read, if the fence is still ours now. */
async function removeFenced(cluster: Cluster, fenced: Fenced, kind: Kind, metadata: Metadata) {
  await readFenced(cluster, fenced);
  const { name, uid, resourceVersion } = metadata;
  // Only of a Deployment does a change since the look matter: its labels decide whether it serves.
  const read = kind === 'Deployment' ? { name, uid, resourceVersion } : { name, uid };
  return cluster.remove(kind, fenced.target.namespace, read);
}

async function podsLeft(cluster: Cluster, namespace: string, deployment: string): Promise<number> {
  const pods = await cluster.list('Pod', namespace, { labelSelector: TEMPLATE_HASH });
  return pods.filter((pod) => workloadOf(pod) === deployment).length;
}
