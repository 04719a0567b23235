import { randomBytes } from 'node:crypto';
import { createKubernetesClients } from '../../src/adapters/kubernetes/clients.ts';
import type { Cluster } from '../../src/adapters/kubernetes/cluster.ts';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { run } from '../../scripts/sandbox/run.ts';

/** A namespace of the sandbox's cluster for one test. */
export interface TestNamespace {
  name: string;
  /** Deletes it with everything in it, without waiting for its end. */
  remove(): Promise<void>;
}

/**
 * Creates a namespace and lets the worker work in it, with its shipped permissions.
 * @param bound false leaves the RoleBinding out
 * @param capability only what a worker with this one may
 */
export async function createTestNamespace({
  bound = true,
  capability = 'worker',
}: { bound?: boolean; capability?: 'worker' | 'deploy' | 'backup' | 'operate' } = {}): Promise<TestNamespace> {
  const name = `test-${randomBytes(4).toString('hex')}`;
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'windlass.dev/test': 'true' } } });
  if (bound) await apply(roleBinding(name, `windlass-${capability}`));
  return { name, remove: async () => void (await kubectl('delete', 'namespace', name, '--wait=false')) };
}

export interface Sample {
  namespace: string;
  /** Tag of the sample image: v1 to v10. */
  version?: string;
  replicas?: number;
  /** Merged into the spec of the Deployment's pods. */
  pod?: object;
  /** Merged into the spec of the Deployment. */
  deployment?: object;
}

/** The sample shop as a team would have it before its first release: one Deployment, a Service that selects it by `app`. */
export async function deploySample(sample: Sample): Promise<void> {
  await apply(...sampleManifests(sample));
}

/** As `deploySample`, and its pods are ready when this returns. */
export async function deployReadySample(sample: Sample): Promise<void> {
  await deploySample(sample);
  await kubectl('-n', sample.namespace, 'rollout', 'status', 'deployment/shop', '--timeout=120s');
}

/** The Deployment `shop` and its Service. */
export function sampleManifests({
  namespace,
  version = 'v1',
  replicas = 1,
  pod = {},
  deployment = {},
}: Sample): object[] {
  const labels = { app: 'shop' };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'shop', namespace, labels },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: {
            labels,
            annotations: {
              'prometheus.io/scrape': 'true',
              'prometheus.io/port': '8080',
              'windlass.dev/drains': 'true',
            },
          },
          spec: { terminationGracePeriodSeconds: 10, containers: [sampleContainer(version)], ...pod },
        },
        ...deployment,
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'shop', namespace },
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    },
  ];
}

/** Container `app` of the sample; its memory limit makes v7 run out of memory. */
export const sampleContainer = (version: string, over: object = {}): object => ({
  name: 'app',
  image: `docker.io/windlass/sample:${version}`,
  imagePullPolicy: 'IfNotPresent',
  ports: [{ containerPort: 8080, name: 'http' }],
  env: [
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'APP_GREETING', value: 'literal-not-to-be-shown' },
  ],
  readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 1 },
  resources: { requests: { cpu: '10m', memory: '48Mi' }, limits: { memory: '192Mi' } },
  ...over,
});

/** Lets the worker work in a namespace, as deploy/rbac/bindings/shop.yaml does. */
export const roleBinding = (namespace: string, clusterRole = 'windlass-worker'): object => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { name: 'windlass-worker', namespace },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRole },
  subjects: [{ kind: 'ServiceAccount', name: 'windlass-worker', namespace: 'windlass' }],
});

/** Applies manifests as the cluster's admin. */
export async function apply(...manifests: object[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: manifests };
  const { kubernetes } = readEndpoints();
  await run(kubernetes.kubectl, [...adminFlags(), 'apply', '-f', '-'], { input: JSON.stringify(list) });
}

/** kubectl as the cluster's admin; answers its standard output. */
export async function kubectl(...args: string[]): Promise<string> {
  return run(readEndpoints().kubernetes.kubectl, [...adminFlags(), ...args]);
}

/** The cluster as its admin, for assertions. */
export function adminCluster(): Cluster {
  const { adminKubeconfig, adminContext } = readEndpoints().kubernetes;
  return createKubernetesClients({ kubeconfig: adminKubeconfig }).connect(adminContext);
}

function adminFlags(): string[] {
  const { adminKubeconfig, adminContext } = readEndpoints().kubernetes;
  return ['--kubeconfig', adminKubeconfig, '--context', adminContext];
}
