import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { endpointsFile } from './endpoints.ts';
import { releaseClaim } from './lock.ts';
import { hostIsChanged, tearDownNetwork } from './network.ts';
import { cgroupFolders } from './node.ts';
import { inState, stateDir } from './paths.ts';
import { node } from './ports.ts';
import { identify } from './proc.ts';
import { end, ownedProcesses, startedNames, stop } from './processes.ts';
import { run } from './run.ts';
import { waitFor } from './wait.ts';

/**
 * Ends the sandbox and removes every trace but its data: processes, containers, cgroups, mounts, interfaces, packet
 * filter rules, kernel settings. It looks at what is there, not at what should be, so it also serves after a crash.
 */
export async function tearDown(): Promise<void> {
  rmSync(endpointsFile(), { force: true });
  // First what would start things again, then the rest; the API server before its database.
  await stopAll(['kubelet', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'metrics-server', 'prometheus']);
  await stopAll(startedNames().filter((name) => !['etcd', 'containerd'].includes(name)));
  const changed = hostIsChanged();
  if (changed) await endContainers();
  await stopAll(['etcd', 'containerd']);
  await end(ownedProcesses(), 2, 'SIGTERM');
  if (changed) {
    const sockets = shimSockets();
    await unmountAll();
    removeFiles(sockets);
    await removeCgroups();
    await tearDownNetwork();
  }
  rmSync(inState('pids'), { recursive: true, force: true });
  releaseClaim();
}

async function stopAll(names: string[]): Promise<void> {
  // PostgreSQL's fast shutdown is SIGINT: SIGTERM waits for its clients.
  const signalOf = (name: string) => (name === 'postgres' ? 'SIGINT' : 'SIGTERM');
  await Promise.all(names.map((name) => stop(name, 5, signalOf(name))));
}

/** Kills all processes of all pods, known by the sandbox's cgroup; a killed container may leave others behind. */
async function endContainers(): Promise<void> {
  const noneLeft = async () => {
    const pids = cgroupFolders().flatMap(processesBelow);
    for (const pid of pids) killQuietly(pid);
    return pids.every((pid) => !identify(pid));
  };
  await waitFor('the end of all containers', noneLeft, { timeoutSeconds: 30 });
}

function processesBelow(folder: string): number[] {
  if (!existsSync(folder)) return [];
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...pidsIn(folder), ...below.flatMap((entry) => processesBelow(join(folder, entry.name)))];
}

function pidsIn(folder: string): number[] {
  try {
    return readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return []; // The cgroup was removed meanwhile.
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

async function removeCgroups(): Promise<void> {
  const removed = async () => {
    for (const folder of cgroupFolders()) removeTree(folder);
    return cgroupFolders().every((folder) => !existsSync(folder));
  };
  // The kernel lets go of a cgroup a moment after its last process.
  await waitFor('the removal of cgroups', removed, { timeoutSeconds: 10 });
}

function removeTree(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(folder, entry.name));
  }
  rmdirSync(folder);
}

async function unmountAll(): Promise<void> {
  for (const mount of mountsBelow(stateDir())) await run('umount', [mount]);
}

/** Mount points below a folder, innermost and latest first. */
export function mountsBelow(folder: string): string[] {
  const octal = (text: string) =>
    text.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(parseInt(code, 8)));
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => octal(line.split(' ')[1] ?? ''));
  return points.filter((point) => point.startsWith(`${folder}/`)).reverse();
}

/** containerd's shims put their sockets into one folder of the machine; their bundles say which are ours. */
function shimSockets(): string[] {
  const bundles = inState('containerd', 'state', 'io.containerd.runtime.v2.task', 'k8s.io');
  const ids = existsSync(bundles) ? readdirSync(bundles) : [];
  const addresses = ids.map((id) => join(bundles, id, 'address')).filter((file) => existsSync(file));
  return addresses.map((file) =>
    readFileSync(file, 'utf8')
      .trim()
      .replace(/^unix:\/\//, ''),
  );
}

function removeFiles(sockets: string[]): void {
  const own = [
    'containerd/state',
    'runc',
    'cni-addresses',
    'kubelet',
    'logs/pods',
    'containerd.sock',
    'containerd.sock.ttrpc',
  ];
  const links = entries('/var/log/containers').filter((link) => linkTarget(link).startsWith(`${stateDir()}/`));
  const results = networkResults();
  const plugins = '/var/lib/kubelet/device-plugins';
  const devices = ['kubelet.sock', 'kubelet_internal_checkpoint', 'DEPRECATION'].map((name) => `${plugins}/${name}`);
  for (const file of [...own.map((name) => inState(name)), ...sockets, ...links, ...results, ...devices]) {
    rmSync(file, { recursive: true, force: true });
  }
  const shared = [
    '/var/log/containers',
    '/var/log/pods',
    '/var/lib/cni/results',
    '/var/lib/cni',
    plugins,
    '/var/lib/kubelet',
  ];
  const runtime = ['s', 'fifo', 'runc/k8s.io', 'runc', ''].map((name) => join('/run/containerd', name));
  for (const folder of [...shared, ...runtime]) removeIfEmpty(folder);
}

/** The network plugin notes its results by network and pod; each of our pods also has one for its loopback. */
function networkResults(): string[] {
  const all = entries('/var/lib/cni/results');
  const ids = all.flatMap((file) => new RegExp(`/${node.podBridge}-([0-9a-f]+)-`).exec(file)?.[1] ?? []);
  return all.filter((file) => ids.some((id) => file.includes(`-${id}-`)));
}

function entries(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

function linkTarget(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

function removeIfEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}
