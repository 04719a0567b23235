import { writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import { kubectl } from './api.ts';
import { findInPath } from './binaries/debian.ts';
import type { Cluster } from './cluster.ts';
import { SandboxError } from './errors.ts';
import { kubeconfigFile, workerContext, writeKubeconfigDocument } from './kubeconfig.ts';
import { applyWorkerPermissions, workerToken } from './rbac.ts';
import { run } from './run.ts';
import { buildSamples } from './samples.ts';

/**
 * Uses a cluster that exists (kind, k3d, minikube or any other) in place of the sandbox's own.
 * @param context of the user's kubeconfig
 * @throws SandboxError when there is no such context, or its cluster does not answer
 */
export async function useCluster(context: string, binary: string): Promise<Cluster> {
  // Flattened and reduced to the one context: what the user changes later in the kubeconfig does not move the sandbox.
  const chosen = await run(binary, ['config', 'view', '--raw', '--minify', '--flatten', '--context', context]);
  const { clusters = [] } = parse(chosen) as { clusters?: { cluster: { server: string } }[] };
  const cluster = clusters[0]?.cluster;
  if (!cluster) throw new SandboxError(`the kubeconfig has no context ${context}`);
  writeFileSync(kubeconfigFile('admin'), chosen, { mode: 0o600 });
  await kubectl(binary, ['get', '--raw', '/readyz', '--request-timeout=10s']);
  await applyWorkerPermissions(binary);
  writeKubeconfigDocument('worker', workerContext, cluster, { token: await workerToken(binary) });
  const kubernetes = {
    server: cluster.server,
    adminKubeconfig: kubeconfigFile('admin'),
    workerKubeconfig: kubeconfigFile('worker'),
    context: workerContext,
    adminContext: context,
    kubectl: binary,
  };
  const { images, skipped } = await loadSamples(context);
  const lacking = [
    'audit log: only the API server of the own cluster is started with one',
    ...skipped,
    ...((await hasMetrics(binary)) ? [] : ['metrics-server: this cluster has none']),
    'Prometheus: discovers the pods of this cluster, but scrapes them only where their addresses are reachable from here',
  ];
  return { kubernetes, discovery: { kubeconfig_file: kubeconfigFile('admin') }, images, skipped: lacking };
}

/** The command that brings an image archive into a cluster, known by its context's name; undefined for other clusters. */
export function loadCommand(context: string, archive: string): string[] | undefined {
  const [tool, cluster = ''] = /^(kind|k3d)-(.+)$/.exec(context)?.slice(1) ?? [];
  if (tool === 'kind') return ['kind', 'load', 'image-archive', archive, '--name', cluster];
  if (tool === 'k3d') return ['k3d', 'image', 'import', archive, '--cluster', cluster];
  // minikube names the context after its profile, which may be any name: only the default one is known.
  return context === 'minikube' ? ['minikube', 'image', 'load', archive] : undefined;
}

async function loadSamples(context: string): Promise<{ images: string[]; skipped: string[] }> {
  try {
    const { tarPath, tags } = await buildSamples();
    const [tool, ...args] = loadCommand(context, tarPath) ?? [];
    if (!tool) throw new Error(`${context} is not of kind, k3d or minikube; load ${tarPath} by hand`);
    if (!findInPath(tool)) throw new Error(`${tool} is not in PATH; load ${tarPath} by hand`);
    await run(tool, args);
    return { images: tags, skipped: [] };
  } catch (error) {
    return { images: [], skipped: [`sample images: ${(error as Error).message}`] };
  }
}

async function hasMetrics(binary: string): Promise<boolean> {
  const found = await kubectl(binary, ['get', 'apiservices', '-o', 'name']);
  return found.includes('v1beta1.metrics.k8s.io');
}
