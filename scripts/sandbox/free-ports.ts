import { createServer } from 'node:net';
import { SandboxError } from './errors.ts';
import { ports } from './ports.ts';

type PortName = keyof typeof ports;

const ownClusterOnly: PortName[] = [
  'etcd',
  'etcdPeer',
  'kubernetes',
  'controllerManager',
  'scheduler',
  'kubeletHealth',
  'kubeProxyHealth',
  'kubeProxyMetrics',
];

/**
 * Looks whether the sandbox's ports are free: a program that answers on one of them would be taken for ours.
 * @throws SandboxError naming the taken ports
 */
export async function refuseTakenPorts(withCluster: boolean): Promise<void> {
  // metrics-server listens on the node's address, which does not exist yet.
  const names = (Object.keys(ports) as PortName[]).filter((name) => name !== 'metricsServer');
  const wanted = names.filter((name) => withCluster || !ownClusterOnly.includes(name));
  const free = await Promise.all(wanted.map((name) => isFree(ports[name])));
  const taken = wanted.filter((_, index) => !free[index]).map((name) => `${ports[name]} (${name})`);
  if (taken.length > 0) throw new SandboxError(`ports taken by other programs on this machine: ${taken.join(', ')}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
