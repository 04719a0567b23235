import { failure } from '../src/adapters/failure.ts';
import type { Cluster } from '../src/adapters/kubernetes/cluster.ts';
import type { Kind, Kinds } from '../src/adapters/kubernetes/kinds.ts';
import {
  colorAutoscaler,
  colorBudget,
  colorDeployment,
  colorPodLabels,
  containersWith,
  previewService,
  type ColorRequest,
} from '../src/domain/release/manifests.ts';
import type { Deployment, Manifest, Service } from '../src/domain/release/objects.ts';
import type { ReleasePlan } from '../src/domain/release/plan-types.ts';
import { labelText } from '../src/domain/release/ownership.ts';
import { selects } from '../src/domain/release/selectors.ts';
import { MARKS } from '../src/domain/release/state.ts';
import type { Dependencies } from './dependencies.ts';
import { openTarget, readFenced } from './guard.ts';
import type { Fenced, ReleaseActivities } from './release-types.ts';

const ROUNDS = 5;

/** The objects of a new color. */
export function createColorActivities({
  kubernetes,
}: Pick<Dependencies, 'kubernetes'>): Pick<ReleaseActivities, 'createColor'> {
  return {
    /**
     * Makes the Deployment of the new color from the serving one, then its disruption budget, autoscaler and preview
     * Service. Look-before-repeat: each object has a fixed name and carries the workflow id; a process that dies before
     * a create left what came before it, one that dies after it finds the object again by its mark.
     * @throws Fenced, Interfered (a name belongs to somebody else, the serving Deployment changed, or the Service would
     *   send traffic to the new pods), Refused, Forbidden
     */
    async createColor({ plan, token, createdBy }) {
      const { target, from } = plan;
      const cluster = await openTarget(kubernetes, target);
      const fenced = { target, token };
      const [service, old] = await Promise.all([
        readFenced(cluster, fenced),
        cluster.read('Deployment', target.namespace, from.deployment),
      ]);
      const color = colorOf(plan, token, createdBy);
      assertUnchanged(old, plan);
      assertOutOfReach(service, old, color);
      const deployment = await ensure(cluster, fenced, 'Deployment', colorDeployment(old, color));
      for (const [kind, manifest] of await companions(cluster, plan, service, old, color))
        await ensure(cluster, fenced, kind, manifest);
      return { uid: deployment.metadata.uid };
    },
  };
}

/** What the manifests of a plan's new color are made of. */
export const colorOf = ({ from, to }: ReleasePlan, token: number, createdBy: string): ColorRequest => ({
  name: to.deployment,
  oldImage: from.image,
  image: to.image,
  replicas: to.replicas,
  selector: to.selector,
  token,
  createdBy,
});

/** What a color needs beside its Deployment. */
export async function companions(
  cluster: Cluster,
  { target: { namespace }, hpa, pdb, preview }: Pick<ReleasePlan, 'target' | 'hpa' | 'pdb' | 'preview'>,
  service: Service,
  old: Deployment,
  color: ColorRequest,
): Promise<[Kind, Manifest][]> {
  const [autoscaler, budget] = await Promise.all([
    hpa && cluster.find('HorizontalPodAutoscaler', namespace, hpa.name),
    pdb && cluster.find('PodDisruptionBudget', namespace, pdb),
  ]);
  const ownBudget = budget && colorBudget(budget, colorPodLabels(old, color), color);
  return [
    ...(ownBudget ? [['PodDisruptionBudget', ownBudget] as [Kind, Manifest]] : []),
    ...(autoscaler ? [['HorizontalPodAutoscaler', colorAutoscaler(autoscaler, color)] as [Kind, Manifest]] : []),
    ['Service', previewService(service, preview, color)],
  ];
}

/** Creates an object, or finds the one that an earlier attempt created. */
async function ensure<K extends Kind>(
  cluster: Cluster,
  fenced: Fenced,
  kind: K,
  manifest: Manifest,
): Promise<Kinds[K]> {
  const { namespace } = fenced.target;
  const { name, annotations } = manifest.metadata;
  for (let round = 0; round < ROUNDS; round++) {
    await readFenced(cluster, fenced);
    const created = await cluster.create(kind, namespace, manifest);
    if (created) return created;
    const there = await cluster.find(kind, namespace, name);
    if (!there) continue;
    const { metadata } = there;
    const createdBy = metadata.annotations?.[MARKS.createdBy];
    if (createdBy === annotations?.[MARKS.createdBy]) return there;
    // Left by a procedure whose lease is over. A Deployment may still serve, so a plan says what becomes of that.
    if (!createdBy || kind === 'Deployment') throw taken(kind, name, namespace, createdBy);
    await cluster.remove(kind, namespace, metadata);
  }
  throw failure(
    'Unavailable',
    `${kind} ${name} in namespace ${namespace} is created and deleted by others all the time.`,
  );
}

function assertUnchanged({ metadata, spec }: Deployment, { from }: ReleasePlan): void {
  if (metadata.uid === from.uid && containersWith(spec.template, from.image).length > 0) return;
  throw failure(
    'Interfered',
    metadata.uid === from.uid
      ? `${metadata.name} does not run ${from.image} any more: somebody changed it since the plan.`
      : `${metadata.name} was replaced since the plan (UID ${metadata.uid}, expected ${from.uid}).`,
  );
}

function assertOutOfReach({ metadata, spec }: Service, old: Deployment, color: ColorRequest): void {
  if (selects(spec.selector ?? {}, colorPodLabels(old, color)))
    throw failure(
      'Interfered',
      `Service ${metadata.name} selects ${labelText(spec.selector ?? {})}, which takes in the pods of ${color.name}: they would get traffic before they are proved.`,
    );
  if (selects(color.selector, old.spec.template.metadata?.labels ?? {}))
    throw failure(
      'Refused',
      `${labelText(color.selector)} also selects the pods of ${old.metadata.name}: the two colors could not be told apart.`,
    );
}

const taken = (kind: Kind, name: string, namespace: string, createdBy: string | undefined) =>
  failure(
    'Interfered',
    `${kind} ${name} in namespace ${namespace} belongs to ${createdBy ?? 'somebody else'}: rename or delete it, the release needs that name.`,
  );
