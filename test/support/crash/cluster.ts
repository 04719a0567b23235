import { get } from 'node:http';
import { KubeConfig, KubernetesObjectApi, type KubernetesObject } from '@kubernetes/client-node';
import type { Endpoints } from '../../../scripts/sandbox/endpoints.ts';
import { waitFor } from '../../../scripts/sandbox/wait.ts';
import { SERVICE } from './catalog.ts';

/** Kinds that make up the state of a namespace; ReplicaSets, Pods and EndpointSlices follow from them. */
const KINDS = [
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
  { apiVersion: 'batch/v1', kind: 'Job' },
];

/** Those that tell whether it serves. */
const SERVING = KINDS.filter(({ kind }) => kind === 'Service' || kind === 'Deployment');

/** An object as it came from the API server. */
export type Live = KubernetesObject & { spec?: Record<string, unknown>; status?: Record<string, unknown> };

/** The cluster as its administrator sees it: it prepares namespaces and looks at what became of them. */
export interface Cluster {
  create(objects: KubernetesObject[]): Promise<void>;
  list(namespace: string): Promise<Live[]>;
  /** Waits until every Deployment of the namespace is ready and its Service has endpoints; returns the Service's address. */
  ready(namespace: string): Promise<string>;
  /** Does not wait: the namespace controller takes its time, and nobody needs the name again. */
  forget(namespace: string): Promise<void>;
}

export function connectCluster(endpoints: Endpoints): Cluster {
  const config = new KubeConfig();
  config.loadFromFile(endpoints.kubernetes.adminKubeconfig);
  const api = KubernetesObjectApi.makeApiClient(config);

  const list = async (namespace: string, kinds = KINDS): Promise<Live[]> => {
    const lists = await Promise.all(kinds.map(({ apiVersion, kind }) => api.list<Live>(apiVersion, kind, namespace)));
    return lists.flatMap(({ items }, index) => items.map((item) => ({ ...item, ...kinds[index]! })));
  };

  return {
    list: (namespace) => list(namespace),
    async create(objects) {
      for (const object of objects) await api.create(object);
    },
    async ready(namespace) {
      return waitFor(
        `pods of ${namespace}`,
        async () => {
          const objects = await list(namespace, SERVING);
          const deployments = objects.filter(({ kind }) => kind === 'Deployment');
          const all = deployments.every(({ spec, status }) => status?.['readyReplicas'] === spec?.['replicas']);
          const service = objects.find(({ kind, metadata }) => kind === 'Service' && metadata?.name === SERVICE);
          if (!all || !service) return false;
          const address = `http://${String(service.spec?.['clusterIP'])}/`;
          return (await statusOf(address)) === 200 && address;
        },
        { timeoutSeconds: 90, everyMs: 500 },
      );
    },
    async forget(namespace) {
      await api.delete({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    },
  };
}

/** Over a connection of its own: a kept one would say nothing of how new ones are routed. */
const statusOf = (address: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const request = get(address, { agent: false, timeout: 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('timeout', () => request.destroy(new Error(`${address} does not answer`)));
    request.on('error', reject);
  });
