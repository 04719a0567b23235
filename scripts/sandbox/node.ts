import { CoreV1Api } from '@kubernetes/client-node';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { adminConfig } from './api.ts';
import type { Binaries } from './binaries/index.ts';
import { pki } from './certificates.ts';
import { containerdSocket } from './containerd.ts';
import { kubeconfigFile, writeKubeconfig } from './kubeconfig.ts';
import { inState } from './paths.ts';
import { node, ports } from './ports.ts';
import { ready, start } from './processes.ts';

/** Starts the kubelet and kube-proxy; returns when the node reports that it is ready. */
export async function startNode(binaries: Binaries): Promise<void> {
  writeKubeconfig('kubelet', 'kubelet', { certificate: 'node' });
  writeFileSync(inState('kubelet.yaml'), stringify(kubeletConfiguration()));
  writeFileSync(inState('kube-proxy.yaml'), stringify(proxyConfiguration()));
  const startedAt = new Date();
  makeCgroup();
  const identity = [`--hostname-override=${node.name}`, `--node-ip=${node.address}`];
  const files = [`--config=${inState('kubelet.yaml')}`, `--root-dir=${inState('kubelet')}`];
  const kubeconfig = `--kubeconfig=${kubeconfigFile('kubelet')}`;
  start({ name: 'kubelet', command: binaries.kubelet, args: [kubeconfig, ...files, ...identity] });
  const proxy = [`--config=${inState('kube-proxy.yaml')}`, `--hostname-override=${node.name}`];
  start({ name: 'kube-proxy', command: binaries['kube-proxy'], args: proxy });
  await ready('kubelet', () => nodeReady(startedAt));
  await ready('kube-proxy', async () => (await fetch(`http://127.0.0.1:${ports.kubeProxyHealth}/healthz`)).ok);
}

/** True when the node is Ready by a report younger than `since`: an older one may be of a kubelet that has died. */
export async function nodeReady(since: Date): Promise<boolean> {
  const found = await adminConfig().makeApiClient(CoreV1Api).readNode({ name: node.name });
  const condition = found.status?.conditions?.find(({ type }) => type === 'Ready');
  const heartbeat = condition?.lastHeartbeatTime?.getTime() ?? 0;
  // The report's time has whole seconds.
  return condition?.status === 'True' && heartbeat >= Math.floor(since.getTime() / 1000) * 1000;
}

/** The folders that stand for the sandbox's cgroup: one in each mounted hierarchy (cgroup v1, v2 or both at once). */
export function cgroupFolders(): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  const hierarchies = mounts.filter(
    ([, , type, options]) => /^cgroup2?$/.test(type ?? '') && /\brw\b/.test(options ?? ''),
  );
  return hierarchies.map(([, folder]) => join(folder ?? '', node.cgroup));
}

function makeCgroup(): void {
  for (const folder of cgroupFolders()) mkdirSync(folder, { recursive: true });
}

function kubeletConfiguration(): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pki('ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    address: node.address,
    tlsCertFile: pki('node.crt'),
    tlsPrivateKeyFile: pki('node.key'),
    healthzPort: ports.kubeletHealth,
    containerRuntimeEndpoint: `unix://${containerdSocket()}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${node.cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    // The sandbox shares its disk and memory with the machine's other work: it must not evict pods for that.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: { 'nodefs.available': '1%', 'imagefs.available': '1%', 'memory.available': '50Mi' },
    podLogsDir: inState('logs', 'pods'),
    volumePluginDir: inState('volume-plugins'),
    // Tests run many pods at once and change them in a short time.
    maxPods: 240,
    registryPullQPS: 50,
    serializeImagePulls: false,
  };
}

function proxyConfiguration(): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig: kubeconfigFile('admin') },
    mode: 'iptables',
    clusterCIDR: node.podCidr,
    // masqueradeAll: answers between two pods of one bridge come back through the node even without br_netfilter.
    iptables: { masqueradeAll: true, localhostNodePorts: false },
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    bindAddress: '127.0.0.1',
    healthzBindAddress: `127.0.0.1:${ports.kubeProxyHealth}`,
    metricsBindAddress: `127.0.0.1:${ports.kubeProxyMetrics}`,
  };
}
