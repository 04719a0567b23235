import type { CoreV1Api } from '@kubernetes/client-node';
import { failure } from './failure.ts';
import type { ReadKubernetesSecret } from './secrets.ts';

/**
 * Reads Secrets of the cluster that is current in the worker's kubeconfig (in a pod: its own).
 * @param kubeconfig path; undefined: the library's usual places
 */
export function createKubernetesSecretReader(kubeconfig?: string): ReadKubernetesSecret {
  let api: Promise<CoreV1Api> | undefined;
  return async (namespace, name, key) => {
    try {
      const secret = await (await (api ??= connect(kubeconfig))).readNamespacedSecret({ namespace, name });
      const value = secret.data?.[key];
      return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
    } catch (error) {
      const status = (error as { code?: unknown }).code;
      if (status === 403 || status === 404) return undefined;
      // Not the client's own message: it quotes the answer, and the answer to this question is a secret.
      const came = typeof status === 'number' ? `HTTP ${status}` : 'it does not answer';
      throw failure('Unavailable', `the API server could not be asked for Secret ${namespace}/${name}: ${came}`);
    }
  };
}

// Loaded when first needed: the client is large, and few catalogs keep a secret in a cluster.
async function connect(kubeconfig?: string): Promise<CoreV1Api> {
  const { CoreV1Api, KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  if (kubeconfig) config.loadFromFile(kubeconfig);
  else config.loadFromDefault();
  return config.makeApiClient(CoreV1Api);
}
