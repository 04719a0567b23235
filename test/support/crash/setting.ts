import type { KubernetesObject } from '@kubernetes/client-node';
import { DEPENDANT, PAGE, SERVICE } from './catalog.ts';
import type { Live } from './cluster.ts';

/** Objects of a namespace in which a run begins; their namespace is filled in. */
export type Setting = (namespace: string) => KubernetesObject[];

const labels = { app: SERVICE };
const IMAGE = 'docker.io/windlass/sample:v1';

/** A service as plain `kubectl apply` leaves it: selected by application only, with an autoscaler and a budget. */
export const adopted: Setting = (namespace) => [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: SERVICE, namespace, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 10, containers: [container] } },
    },
  } as KubernetesObject,
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: SERVICE, namespace, labels },
    spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  } as KubernetesObject,
  {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: SERVICE, namespace, labels },
    spec: {
      minReplicas: 1,
      maxReplicas: 2,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: SERVICE },
      // Out of reach: a run must not differ by how busy the machine was.
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 5000 } } },
      ],
    },
  } as KubernetesObject,
  {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: SERVICE, namespace, labels },
    spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
  } as KubernetesObject,
];

/** A service of a fixed size, and beside it a Deployment that serves nobody. */
const beside =
  (name: string, image = IMAGE): Setting =>
  (namespace) => [
    ...adopted(namespace).filter(({ kind }) => kind === 'Deployment' || kind === 'Service'),
    deploymentOf(namespace, name, image),
  ];

/** With what uses the database. */
export const withDependant = beside(DEPENDANT);
/** With a page for maintenance, which answers as another version. */
export const withPage = beside(PAGE, 'docker.io/windlass/sample:v10');

function deploymentOf(namespace: string, name: string, image: string): KubernetesObject {
  const labels = { app: name };
  const spec = { terminationGracePeriodSeconds: 1, containers: [{ ...container, image }] };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  } as KubernetesObject;
}

const container = {
  name: 'app',
  image: IMAGE,
  imagePullPolicy: 'IfNotPresent',
  ports: [{ containerPort: 8080 }],
  resources: { requests: { cpu: '10m', memory: '32Mi' } },
  readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 1 },
};

/**
 * What a run left, as the beginning of other runs: a rollback begins where a release ended. Jobs stay behind, since
 * their pods would run again.
 */
export function copyOf(objects: Live[], of: string): Setting {
  const kept = objects.filter(({ kind, metadata }) => kind !== 'Job' && metadata?.name !== 'kube-root-ca.crt');
  const text = JSON.stringify(kept.map(strip));
  return (namespace) => JSON.parse(text.replaceAll(of, namespace)) as KubernetesObject[];
}

/** Without a Deployment and what belongs to it. */
export const without =
  (setting: Setting, deployment: string): Setting =>
  (namespace) =>
    setting(namespace).filter(({ kind, metadata }) => kind === 'Service' || metadata?.name !== deployment);

function strip({ apiVersion, kind, metadata, spec }: Live): Live {
  const { clusterIP: _ip, clusterIPs: _ips, ...rest } = spec ?? {};
  const { 'deployment.kubernetes.io/revision': _revision, ...annotations } = metadata?.annotations ?? {};
  return {
    ...(apiVersion ? { apiVersion } : {}),
    ...(kind ? { kind } : {}),
    metadata: {
      ...(metadata?.name ? { name: metadata.name } : {}),
      ...(metadata?.namespace ? { namespace: metadata.namespace } : {}),
      labels: metadata?.labels ?? {},
      annotations,
    },
    spec: rest,
  };
}
