import type {
  Autoscaler,
  Container,
  Deployment,
  DisruptionBudget,
  Labels,
  LabelSelector,
  Manifest,
  Metadata,
  PodTemplate,
  Service,
} from './objects.ts';
import { selects, TEMPLATE_HASH } from './selectors.ts';
import { MARKS } from './state.ts';

/** What a new color is made of. */
export interface ColorRequest {
  /** Name of its Deployment, autoscaler and disruption budget. */
  name: string;
  /** Image that the old color runs, and the one that takes its place wherever it is used. */
  oldImage: string;
  image: string;
  replicas: number;
  /** What the Service will select: the old labels and the color. */
  selector: Labels;
  token: number;
  /** Workflow id of the procedure: how a later attempt knows its own object. */
  createdBy: string;
}

// What other tools write to find their objects again. A copy that kept it would be taken for theirs, and pruned.
const TRACKING =
  /^(kubectl\.kubernetes\.io\/(last-applied-configuration|restartedAt)|deployment\.kubernetes\.io\/|([\w-]+\.)*argoproj\.io\/|([\w-]+\.)*toolkit\.fluxcd\.io\/|meta\.helm\.sh\/|helm\.sh\/|windlass\.dev\/(?!drains$))/;
// Argo CD tracks by this label by default; on pods it may be part of a selector, so only the object itself loses it.
const TRACKING_LABEL = 'app.kubernetes.io/instance';

/** Copy of the serving Deployment under the color's name, labels and image, without what ties the original to others. */
export function colorDeployment(from: Deployment, color: ColorRequest): Manifest {
  const { replicas: _replicas, selector, template, ...spec } = structuredClone(from.spec);
  const { paused: _paused, ...rest } = spec as Record<string, unknown>;
  const labels = { ...without(template.metadata?.labels, TEMPLATE_HASH), ...color.selector };
  const annotations = untracked(template.metadata?.annotations);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: colorMetadata(from.metadata, color),
    spec: {
      ...rest,
      replicas: color.replicas,
      selector: colorSelector(selector, color),
      template: { metadata: { labels, annotations }, spec: withImage(template.spec, color) },
    },
  };
}

/** The autoscaler of the color: the old one's, aimed at it, and kept from shrinking it before it has traffic. */
export function colorAutoscaler(from: Autoscaler, color: ColorRequest): Manifest {
  const { scaleTargetRef, minReplicas = 1, ...spec } = structuredClone(from.spec);
  const minimum = Number(from.metadata.annotations?.[MARKS.hpaMinimum] ?? minReplicas);
  const metadata = colorMetadata(from.metadata, color);
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { ...metadata, annotations: { ...metadata.annotations, [MARKS.hpaMinimum]: String(minimum) } },
    spec: {
      ...spec,
      minReplicas: Math.max(minimum, color.replicas),
      scaleTargetRef: { ...scaleTargetRef, name: color.name },
    },
  };
}

/**
 * The disruption budget of the color; undefined when the old one covers its pods already, because a pod that two
 * budgets cover cannot be evicted at all.
 */
export function colorBudget(from: DisruptionBudget, podLabels: Labels, color: ColorRequest): Manifest | undefined {
  if (selectsBy(from.spec.selector, podLabels)) return undefined;
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: colorMetadata(from.metadata, color),
    spec: { ...structuredClone(from.spec), selector: { matchLabels: color.selector } },
  };
}

/** A Service that only tests know: the ports of the real one, the pods of the new color. */
export function previewService(from: Service, name: string, color: ColorRequest): Manifest {
  const ports = (from.spec.ports ?? []).map(({ name, port, targetPort, protocol, appProtocol }) => ({
    port,
    ...(name ? { name } : {}),
    ...(targetPort === undefined ? {} : { targetPort }),
    ...(protocol ? { protocol } : {}),
    ...(appProtocol ? { appProtocol } : {}),
  }));
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...colorMetadata(from.metadata, color), name, annotations: marksOf(color) },
    spec: { type: 'ClusterIP', ports, selector: color.selector },
  };
}

/** Labels of the pods that `colorDeployment` makes. */
export const colorPodLabels = (from: Deployment, color: ColorRequest): Labels => ({
  ...without(from.spec.template.metadata?.labels, TEMPLATE_HASH),
  ...color.selector,
});

/** Whether a label selector takes in pods with these labels. An empty one takes in all; none takes in nothing. */
export function selectsBy(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (!selector) return false;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const matches = Object.keys(matchLabels).length === 0 || selects(matchLabels, labels);
  return matches && matchExpressions.every((expression) => matchesExpression(expression, labels));
}

function matchesExpression(
  { key, operator, values = [] }: NonNullable<LabelSelector['matchExpressions']>[number],
  labels: Labels,
): boolean {
  const value = labels[key];
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  const listed = value !== undefined && values.includes(value);
  return operator === 'In' ? listed : !listed;
}

/** The containers whose image is the released one; an init container often runs it too. */
export const containersWith = (template: PodTemplate, image: string): Container[] =>
  [...template.spec.containers, ...(template.spec.initContainers ?? [])].filter((each) => each.image === image);

function withImage(spec: PodTemplate['spec'], { oldImage, image }: ColorRequest): PodTemplate['spec'] {
  const change = (each: Container): Container => (each.image === oldImage ? { ...each, image } : each);
  return {
    ...spec,
    containers: spec.containers.map(change),
    ...(spec.initContainers ? { initContainers: spec.initContainers.map(change) } : {}),
  };
}

function colorSelector(from: LabelSelector, color: ColorRequest): LabelSelector {
  return { ...from, matchLabels: { ...without(from.matchLabels, TEMPLATE_HASH), ...color.selector } };
}

function colorMetadata(from: Metadata, color: ColorRequest): Manifest['metadata'] {
  const labels = without(untracked(from.labels), TRACKING_LABEL);
  return {
    name: color.name,
    namespace: from.namespace,
    labels: { ...labels, ...color.selector, [MARKS.managedBy]: 'windlass' },
    annotations: { ...untracked(from.annotations), ...marksOf(color) },
  };
}

const marksOf = ({ token, createdBy }: ColorRequest): Labels => ({
  [MARKS.fence]: String(token),
  [MARKS.createdBy]: createdBy,
});

const untracked = (values: Labels = {}): Labels =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !TRACKING.test(name)));

const without = (values: Labels = {}, name: string): Labels =>
  Object.fromEntries(Object.entries(values).filter(([each]) => each !== name));
