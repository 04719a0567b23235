import { KubeConfig } from '@kubernetes/client-node';
import { kubeconfigFile } from './kubeconfig.ts';
import { run } from './run.ts';

/** Client configuration of the sandbox's administrator. */
export function adminConfig(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfigFile('admin'));
  return config;
}

/** Runs `kubectl` as the administrator; `input` goes to its standard input (`-f -`). */
export function kubectl(binary: string, args: string[], input = ''): Promise<string> {
  return run(binary, ['--kubeconfig', kubeconfigFile('admin'), ...args], { input });
}

/** Applies manifests given as text. Server-side, so that repeating it changes nothing. */
export async function apply(binary: string, manifests: string): Promise<void> {
  const owner = ['--server-side', '--force-conflicts', '--field-manager', 'windlass-sandbox'];
  await kubectl(binary, ['apply', ...owner, '-f', '-'], manifests);
}
