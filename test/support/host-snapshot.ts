import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folders of the machine into which Kubernetes and containerd write outside the sandbox's own state. */
const sharedFolders = [
  '/run/containerd',
  '/run/netns',
  '/run/kubernetes',
  '/var/lib/cni',
  '/var/lib/kubelet',
  '/var/lib/containerd',
  '/var/log/pods',
  '/var/log/containers',
  '/usr/libexec/kubernetes',
];

const kernelSettings = [
  'net/ipv4/ip_forward',
  'net/ipv4/conf/all/route_localnet',
  'vm/overcommit_memory',
  'kernel/panic',
  'kernel/panic_on_oops',
];

/** What a sandbox could leave on the machine, in a form that two looks can be compared. */
export interface HostSnapshot {
  mounts: string[];
  interfaces: string[];
  routes: string[];
  rules: string[];
  cgroups: string[];
  settings: Record<string, string>;
  files: string[];
}

/** Looks at the machine. Processes are looked at by `processesNaming`: others come and go meanwhile. */
export function snapshotHost(): HostSnapshot {
  return {
    mounts: readFileSync('/proc/mounts', 'utf8').trim().split('\n').sort(),
    interfaces: readdirSync('/sys/class/net').sort(),
    routes: lines('ip', ['route', 'show', 'table', 'all']),
    rules: [...rulesOf('iptables-save'), ...rulesOf('ip6tables-save')],
    cgroups: lines('find', ['/sys/fs/cgroup', '-type', 'd', '-regex', '.*\\(windlass\\|kubepods\\).*']),
    settings: Object.fromEntries(kernelSettings.map((name) => [name, setting(name)])),
    files: sharedFolders.flatMap(filesBelow),
  };
}

/** Every process that names `folder` in its command line, environment or working directory; zombies have none of them. */
export function processesNaming(folder: string): string[] {
  return pids()
    .filter((pid) => ['cmdline', 'environ'].some((file) => readProcess(pid, file).includes(folder)))
    .map((pid) => `${pid} ${readProcess(pid, 'cmdline').replaceAll('\0', ' ')}`);
}

/** Processes of containers in the sandbox's pods, found by their cgroup. */
export function podProcesses(): number[] {
  return pids().filter((pid) => readProcess(pid, 'cgroup').includes('/windlass-sandbox/'));
}

function pids(): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return all.map(Number).filter((pid) => pid !== process.pid);
}

function readProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // It ended between the listing and the look.
  }
}

/** Rules and chains. Empty tables come into being when anyone lists them, so their built-in chains are left out. */
function rulesOf(command: string): string[] {
  try {
    return lines(command, []).filter((line) => /^-A|^:(?!(PRE|POST)ROUTING|INPUT|OUTPUT|FORWARD)/.test(line));
  } catch {
    return []; // Not installed yet before the first `up` of this machine: then there are no rules either.
  }
}

function setting(name: string): string {
  const file = join('/proc/sys', name);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return [folder, ...readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)))].sort();
}

function lines(command: string, args: string[]): string[] {
  return execFileSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
    .trim()
    .split('\n')
    .filter(Boolean)
    .sort();
}
