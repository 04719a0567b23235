import type { CatalogService } from '../../contracts/catalog.ts';
import { managersOf } from './field-owners.ts';
import { selectsBy } from './manifests.ts';
import type {
  Autoscaler,
  Deployment,
  DisruptionBudget,
  EndpointSlice,
  Labels,
  Metadata,
  Pod,
  Quota,
  ReplicaSet,
  Service,
  VolumeClaim,
} from './objects.ts';
import { currentTemplateHash, endpointsByWorkload, imageIdsOf, isLeaving, workloadOf } from './ownership.ts';
import { parseRecords } from './records.ts';
import { selects } from './selectors.ts';
import { MARKS, type LiveDeployment, type LiveService } from './state.ts';

/** Everything that was read of a namespace to describe one service. */
export interface Readings {
  clusterUid: string;
  service: Service;
  deployments: Deployment[];
  replicaSets: ReplicaSet[];
  pods: Pod[];
  slices: EndpointSlice[];
  autoscalers: Autoscaler[];
  budgets: DisruptionBudget[];
  quotas: Quota[];
  claims: VolumeClaim[];
}

/**
 * What was read, as plans need it.
 * @param self our own field manager, which is not told as an owner
 */
export function describeService(read: Readings, spec: CatalogService, self: string): LiveService {
  const { service } = read;
  const { metadata } = service;
  const selector = service.spec.selector ?? {};
  const releases = parseRecords(metadata.annotations?.[MARKS.releases]);
  const adopted = parseLabels(metadata.annotations?.[MARKS.adoptedSelector]);
  const names = new Set([
    spec.workload.name,
    ...spec.color.names.map((color) => `${spec.workload.name}-${color}`),
    ...releases.map(({ deployment }) => deployment),
  ]);
  const serves = ({ spec: { template } }: Deployment): boolean => selects(selector, template.metadata?.labels ?? {});
  const concerned = read.deployments.filter((each) => names.has(each.metadata.name) || serves(each));
  const workloads = new Map(read.pods.map((pod) => [pod.metadata.name, workloadOf(pod)]));
  return {
    clusterUid: read.clusterUid,
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    selector,
    fence: fenceOf(metadata),
    releases,
    ...(adopted ? { adoptedSelector: adopted } : {}),
    deployments: concerned.map((each) => describeDeployment(each, read, spec, self)),
    readyEndpoints: endpointsByWorkload(read.slices, (name) => workloads.get(name)).ready,
    selectorManagers: managersOf(metadata.managedFields, 'spec.selector', self),
    quota: read.quotas.map(describeQuota),
  };
}

/** The fencing token on an object; 0 when it carries none. */
export const fenceOf = ({ annotations }: Metadata): number => Number(annotations?.[MARKS.fence] ?? 0) || 0;

function describeDeployment(
  deployment: Deployment,
  read: Readings,
  spec: CatalogService,
  self: string,
): LiveDeployment {
  const { metadata, status } = deployment;
  const { template } = deployment.spec;
  const labels = template.metadata?.labels ?? {};
  const hash = currentTemplateHash(deployment, read.replicaSets);
  const pods = read.pods.filter((pod) => workloadOf(pod) === metadata.name && !isLeaving(pod));
  const main = template.spec.containers.find(({ name }) => name === spec.container) ?? template.spec.containers[0];
  const hpa = read.autoscalers.find(
    ({ spec: { scaleTargetRef } }) => scaleTargetRef.kind === 'Deployment' && scaleTargetRef.name === metadata.name,
  );
  const budget = read.budgets.find((each) => selectsBy(each.spec.selector, labels));
  const createdBy = metadata.annotations?.[MARKS.createdBy];
  return {
    name: metadata.name,
    uid: metadata.uid,
    image: main?.image ?? '',
    replicas: deployment.spec.replicas ?? 1,
    readyReplicas: status?.readyReplicas ?? 0,
    podLabels: labels,
    selectorLabels: deployment.spec.selector.matchLabels ?? {},
    ...(hash ? { templateHash: hash } : {}),
    imageIds: imageIdsOf(pods, main?.name),
    hasPersistentVolumeOnce: mountsVolumeOnce(deployment, read.claims),
    hasHostPort: bindsHostPort(deployment),
    drains: isDraining(deployment),
    ...(hpa ? { hpa: describeAutoscaler(hpa) } : {}),
    ...(budget ? { pdb: budget.metadata.name } : {}),
    templateManagers: managersOf(metadata.managedFields, 'spec.template', self),
    ...(createdBy ? { createdBy } : {}),
    fence: fenceOf(metadata),
  };
}

/** The minimum is the owner's own, also while a release has pinned the autoscaler. */
function describeAutoscaler({ metadata, spec }: Autoscaler): NonNullable<LiveDeployment['hpa']> {
  const minReplicas = Number(metadata.annotations?.[MARKS.hpaMinimum] ?? spec.minReplicas ?? 1);
  return { name: metadata.name, minReplicas, maxReplicas: spec.maxReplicas };
}

function mountsVolumeOnce({ spec: { template } }: Deployment, claims: VolumeClaim[]): boolean {
  const mounted = (template.spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim ?? []);
  return mounted.some(({ claimName }) => {
    const modes = claims.find(({ metadata }) => metadata.name === claimName)?.spec.accessModes ?? [];
    return modes.length > 0 && !modes.includes('ReadWriteMany') && !modes.includes('ReadOnlyMany');
  });
}

function bindsHostPort({ spec: { template } }: Deployment): boolean {
  const ports = template.spec.containers.flatMap(({ ports }) => ports ?? []);
  return (
    ports.some(({ hostPort }) => hostPort !== undefined) || (template.spec.hostNetwork === true && ports.length > 0)
  );
}

function isDraining({ metadata, spec: { template } }: Deployment): boolean {
  const says = (annotations: Labels | undefined): boolean => annotations?.[MARKS.drains] === 'true';
  const hooks = template.spec.containers.some(({ lifecycle }) => lifecycle?.preStop !== undefined);
  return hooks || says(metadata.annotations) || says(template.metadata?.annotations);
}

function describeQuota({ metadata, status }: Quota): LiveService['quota'][number] {
  const { hard = {}, used = {} } = status ?? {};
  const left = ['pods', 'count/pods'].flatMap((name) =>
    hard[name] === undefined ? [] : [Number(hard[name]) - Number(used[name] ?? 0)],
  );
  const text = Object.entries(hard).map(([name, limit]) => `${name} ${used[name] ?? 0} of ${limit}`);
  return {
    name: metadata.name,
    text: text.join(', '),
    ...(left.length > 0 ? { podsLeft: Math.max(0, Math.min(...left)) } : {}),
  };
}

function parseLabels(annotation: string | undefined): Labels | undefined {
  try {
    return annotation === undefined ? undefined : (JSON.parse(annotation) as Labels);
  } catch {
    return undefined;
  }
}
