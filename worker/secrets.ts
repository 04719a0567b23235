import { createKubernetesSecretReader } from '../src/adapters/kubernetes-secrets.ts';
import { createSecretResolver, type SecretResolver } from '../src/adapters/secrets.ts';

/** Reads secrets as this process may: its environment, its files, and the cluster that is current. */
export const createSecrets = ({ kubeconfig }: { kubeconfig?: string | undefined }): SecretResolver =>
  createSecretResolver({ env: process.env, kubernetes: createKubernetesSecretReader(kubeconfig) });
