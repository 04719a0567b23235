import { run } from '../sandbox/run.ts';
import type { Endpoints } from '../sandbox/endpoints.ts';

const LABEL = 'windlass.dev/bench';

/** The cluster as its administrator, who prepares namespaces for a bench and clears them away. */
export interface Cluster {
  kubectl(...args: string[]): Promise<string>;
  /**
   * Puts the sample application at v1 into a namespace of its own, with the worker's shipped permissions on it.
   * @returns the URL of its Service, when its pods are ready
   */
  createShop(namespace: string, replicas: number): Promise<string>;
  /** Deletes the namespaces of this bench, and those an interrupted one left. */
  clear(): Promise<void>;
}

export function connectCluster({ kubernetes }: Endpoints): Cluster {
  const { kubectl: binary, adminKubeconfig, adminContext } = kubernetes;
  const admin = ['--kubeconfig', adminKubeconfig, '--context', adminContext];
  const kubectl = (...args: string[]): Promise<string> => run(binary, [...admin, ...args]);

  return {
    kubectl,
    async createShop(namespace, replicas) {
      const list = { apiVersion: 'v1', kind: 'List', items: shop(namespace, replicas) };
      await run(binary, [...admin, 'apply', '-f', '-'], { input: JSON.stringify(list) });
      await kubectl('-n', namespace, 'rollout', 'status', 'deployment/shop', '--timeout=180s');
      const address = await kubectl('-n', namespace, 'get', 'service', 'shop', '-o', 'jsonpath={.spec.clusterIP}');
      return `http://${address}/`;
    },
    async clear() {
      await kubectl('delete', 'namespace', '-l', `${LABEL}=true`, '--wait=true', '--timeout=300s');
    },
  };
}

/** As a team would have it before its first release: one Deployment, a Service that selects it by application only. */
function shop(namespace: string, replicas: number): object[] {
  const labels = { app: 'shop' };
  const container = {
    name: 'app',
    image: 'docker.io/windlass/sample:v1',
    imagePullPolicy: 'IfNotPresent',
    ports: [{ containerPort: 8080, name: 'http' }],
    env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
    // A machine that is busy for a moment shall not look like an application that is not ready.
    readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 1, timeoutSeconds: 5 },
    resources: { requests: { cpu: '10m', memory: '48Mi' } },
  };
  const template = {
    metadata: { labels, annotations: { 'windlass.dev/drains': 'true' } },
    spec: { terminationGracePeriodSeconds: 10, containers: [container] },
  };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { [LABEL]: 'true' } } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'windlass-worker', namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'windlass-worker' },
      subjects: [{ kind: 'ServiceAccount', name: 'windlass-worker', namespace: 'windlass' }],
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'shop', namespace, labels },
      spec: { replicas, selector: { matchLabels: labels }, template },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'shop', namespace },
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
  ];
}
