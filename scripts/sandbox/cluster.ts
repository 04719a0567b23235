import type { Binaries } from './binaries/index.ts';
import { ensureCertificates } from './certificates.ts';
import { importImages, startContainerd } from './containerd.ts';
import { auditLog, startControlPlane } from './control-plane.ts';
import type { Endpoints } from './endpoints.ts';
import { adminContext, kubeconfigFile, server, workerContext, writeKubeconfig } from './kubeconfig.ts';
import { startMetricsServer } from './metrics-server.ts';
import { setUpNetwork, writePodNetwork } from './network.ts';
import { startNode } from './node.ts';
import { buildPauseImage } from './pause-image.ts';
import { timed } from './progress.ts';
import { applyPrometheusPermissions, sandboxDiscovery, type Discovery } from './prometheus.ts';
import { applyWorkerPermissions, workerToken } from './rbac.ts';
import { importSamples } from './samples.ts';

/** What the rest of the sandbox needs to know of a cluster. */
export interface Cluster {
  kubernetes: Endpoints['kubernetes'];
  discovery: Discovery;
  images: string[];
  skipped: string[];
}

/** Starts the sandbox's own Kubernetes: one node with real containers. */
export async function startCluster(binaries: Binaries): Promise<Cluster> {
  const pause = await buildPauseImage();
  await ensureCertificates();
  await setUpNetwork();
  writePodNetwork();
  const [, images] = await Promise.all([
    timed('Kubernetes: control plane ready', () => startControlPlane(binaries)),
    timed('containerd ready, images imported', async () => {
      await startContainerd();
      await importImages(pause);
      return importSamples();
    }),
  ]);
  await timed('Kubernetes: node ready', () => startNode(binaries));
  await applyPrometheusPermissions(binaries.kubectl);
  await startMetricsServer(binaries);
  await applyWorkerPermissions(binaries.kubectl);
  writeKubeconfig('worker', workerContext, { token: await workerToken(binaries.kubectl) });
  const kubernetes = {
    server,
    adminKubeconfig: kubeconfigFile('admin'),
    workerKubeconfig: kubeconfigFile('worker'),
    context: workerContext,
    adminContext,
    auditLog: auditLog(),
    kubectl: binaries.kubectl,
  };
  return { kubernetes, discovery: sandboxDiscovery(), images, skipped: [] };
}

/** Brings what may have changed in this checkout (permissions, sample application) into a cluster that runs already. */
export async function refreshCluster({ kubernetes }: Endpoints): Promise<void> {
  await applyWorkerPermissions(kubernetes.kubectl);
  if (kubernetes.auditLog) await importSamples();
}
