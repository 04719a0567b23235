import { statSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node';
import { failure } from '../failure.ts';
import { createCluster, type Cluster } from './cluster.ts';
import { createConnection, type Connection } from './connection.ts';

/** The clusters that the worker's kubeconfig names. */
export interface KubernetesClients {
  /** Every call of it throws NotFound while the kubeconfig has no such context, or cannot be read. */
  connect(context: string): Cluster;
}

/**
 * @param kubeconfig path of the file; default: as kubectl finds it (`KUBECONFIG`, `~/.kube/config`), else the service
 *   account of the pod, whose context is `inClusterContext`. The file is read again after it changed.
 */
export function createKubernetesClients({ kubeconfig }: { kubeconfig?: string } = {}): KubernetesClients {
  const clusters = new Map<string, Cluster>();
  let readAt: number | undefined;

  return {
    connect(context) {
      const version = kubeconfig ? changedAt(kubeconfig) : 0;
      if (version !== readAt) clusters.clear();
      readAt = version;
      const known = clusters.get(context);
      if (known) return known;
      const cluster = createCluster(context, connectWhenNeeded(kubeconfig, context));
      clusters.set(context, cluster);
      return cluster;
    },
  };
}

/** The library is loaded by the first call: it takes 50 MB, and a worker that only moves backups asks no cluster. */
function connectWhenNeeded(kubeconfig: string | undefined, context: string): Connection {
  let connection: Promise<Connection> | undefined;
  const connect = async (): Promise<Connection> => {
    const config = await load(kubeconfig);
    const contexts = config.getContexts().map(({ name }) => name);
    if (!contexts.includes(context))
      throw failure(
        'NotFound',
        `The kubeconfig of the worker has no context ${context}; it has ${contexts.join(', ') || 'none'}.`,
      );
    config.setCurrentContext(context);
    return createConnection(config);
  };
  return {
    async exchange(exchange) {
      connection ??= connect().catch((error: unknown) => {
        connection = undefined; // The next call looks again.
        throw error;
      });
      return (await connection).exchange(exchange);
    },
  };
}

async function load(kubeconfig: string | undefined): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    if (kubeconfig) config.loadFromFile(kubeconfig);
    else config.loadFromDefault();
  } catch (error) {
    throw failure('NotFound', `The kubeconfig of the worker cannot be read: ${(error as Error).message}`);
  }
  return config;
}

const changedAt = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
