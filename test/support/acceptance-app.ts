import type { KubernetesObject } from '@kubernetes/client-node';
import { SERVICE, serviceNameOf } from './acceptance-catalog.ts';

export const imageOf = (version: string): string => `docker.io/windlass/sample:${version}`;

export interface AppOptions {
  /** Service of the catalog that it stands for: `agent-system` or a variant. */
  service: string;
  replicas?: number;
  /** Faults by version (scripts/sandbox/app/faults.js), in place of those that the versions have. */
  faults?: Record<string, object>;
  /** More of the environment of its container. */
  env?: Record<string, string>;
  /** More of its pods' spec. */
  pod?: object;
  /** A pod counts once it has been ready for so long; 0 when absent, as in Kubernetes. */
  minReadySeconds?: number;
  /** Whether the worker may change its namespace; true when absent. */
  bound?: boolean;
}

const labels = { app: SERVICE };

/**
 * The application at v1, as plain `kubectl apply` leaves it before the first release: a Deployment without a color, a
 * Service that selects by application only, and the worker's permissions for this namespace.
 */
export function appManifests(namespace: string, options: AppOptions): KubernetesObject[] {
  const { service, replicas = 1, faults, env = {}, pod = {}, minReadySeconds = 0, bound = true } = options;
  const variables = { ...(faults ? { APP_FAULTS: JSON.stringify(faults) } : {}), ...env };
  const container = {
    name: 'app',
    image: imageOf('v1'),
    imagePullPolicy: 'IfNotPresent',
    ports: [{ name: 'http', containerPort: 8080 }],
    env: Object.entries(variables).map(([name, value]) => ({ name, value })),
    // Patient: on a busy machine a pod that answers late is not away.
    readinessProbe: {
      httpGet: { path: '/ready', port: 'http' },
      periodSeconds: 1,
      timeoutSeconds: 5,
      failureThreshold: 5,
    },
    resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '256Mi' } },
  };
  const annotations = {
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': '8080',
    'windlass.dev/drains': 'true',
  };
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...(bound ? [binding(namespace)] : []),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: SERVICE, namespace, labels },
      spec: {
        replicas,
        minReadySeconds,
        selector: { matchLabels: labels },
        template: { metadata: { labels, annotations }, spec: { containers: [container], ...pod } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: serviceNameOf(service), namespace, labels },
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
  ];
  return objects;
}

/** The example of deploy/rbac/bindings for another namespace. */
function binding(namespace: string): object {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'windlass-worker', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'windlass-worker' },
    subjects: [{ kind: 'ServiceAccount', name: 'windlass-worker', namespace: 'windlass' }],
  };
}
