import { KubeConfig, KubernetesObjectApi, type KubernetesObject } from '@kubernetes/client-node';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';

/** An object as the API server answers it. */
export type Live = KubernetesObject & {
  spec?: Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any
  status?: Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any
};

/** What makes up a namespace; ReplicaSets, Pods and EndpointSlices follow from it. */
const KINDS = {
  Service: 'v1',
  ConfigMap: 'v1',
  Deployment: 'apps/v1',
  Job: 'batch/v1',
  HorizontalPodAutoscaler: 'autoscaling/v2',
  PodDisruptionBudget: 'policy/v1',
} as const;
type Kind = keyof typeof KINDS | 'Pod';
const versionOf = (kind: Kind): string => (kind === 'Pod' ? 'v1' : KINDS[kind]);

/** A namespace as the cluster's administrator sees it: nothing of the product is used to look at it. */
export interface Namespace {
  name: string;
  create(...objects: KubernetesObject[]): Promise<void>;
  /** Undefined when it is not there. */
  find(kind: Kind, name: string): Promise<Live | undefined>;
  list(kind: Kind): Promise<Live[]>;
  /** `Kind/name` → uid and resource version of all that is there: equal when nothing was touched. */
  versions(): Promise<Record<string, string>>;
  /** For what a person would type. */
  kubectl(...args: string[]): Promise<string>;
  /** Does not wait for its end. */
  remove(): Promise<void>;
}

export function openNamespace(name: string): Namespace {
  const { adminKubeconfig, kubectl } = readEndpoints().kubernetes;
  const config = new KubeConfig();
  config.loadFromFile(adminKubeconfig);
  const api = KubernetesObjectApi.makeApiClient(config);
  const list = async (kind: Kind): Promise<Live[]> => (await api.list<Live>(versionOf(kind), kind, name)).items;

  return {
    name,
    list,
    async create(...objects) {
      for (const object of objects) await api.create(object);
    },
    async find(kind, of) {
      return (await list(kind)).find(({ metadata }) => metadata?.name === of);
    },
    async versions() {
      const kinds = Object.keys(KINDS) as (keyof typeof KINDS)[];
      const lists = await Promise.all(kinds.map(list));
      return Object.fromEntries(
        lists.flatMap((items, index) =>
          items.map(({ metadata }) => [
            `${kinds[index]}/${metadata?.name}`,
            `${metadata?.uid} ${metadata?.resourceVersion}`,
          ]),
        ),
      );
    },
    async kubectl(...args) {
      const { stdout } = await promisify(execFile)(kubectl, ['--kubeconfig', adminKubeconfig, '-n', name, ...args]);
      return stdout;
    },
    async remove() {
      await api.delete({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }).catch(() => undefined);
    },
  };
}
