import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { SandboxError } from './errors.ts';
import { inState } from './paths.ts';
import { node } from './ports.ts';
import { run } from './run.ts';

/** Kernel settings that Kubernetes changes on its host; noted before and put back afterwards. */
const kernelSettings = [
  'net/ipv4/ip_forward',
  'net/ipv4/conf/all/route_localnet',
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];
const settingsFile = () => inState('kernel-settings.json');

/** Gives the node its address (a bridge: not every kernel has dummy devices) and lets the kernel forward to pods. */
export async function setUpNetwork(): Promise<void> {
  await refuseForeignKubernetes();
  noteKernelSettings();
  if (!existsSync(`/sys/class/net/${node.bridge}`)) {
    await run('ip', ['link', 'add', node.bridge, 'type', 'bridge']);
    await run('ip', ['address', 'add', `${node.address}/32`, 'dev', node.bridge]);
    await run('ip', ['link', 'set', node.bridge, 'up']);
  }
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  await keepInside();
}

/**
 * Refuses what goes to a Service that kube-proxy has not redirected (yet), or to a pod while there is no bridge. It would
 * leave this machine, and where something out there answers, the API server stays connected to that: its metrics API then
 * never becomes available.
 */
async function keepInside(): Promise<void> {
  for (const chain of outwards) await run('iptables', ['--insert', chain, ...refusal]);
  await run('ip', ['route', 'replace', ...nowhere]);
}

async function letOutside(): Promise<void> {
  for (const chain of outwards) await run('iptables', ['--delete', chain, ...refusal], { allowFailure: true });
  await run('ip', ['route', 'delete', ...nowhere], { allowFailure: true });
}

const outwards = ['OUTPUT', 'FORWARD'];
const refusal = ['--destination', node.serviceCidr, '--jump', 'REJECT'];
/** The last resort: the bridge brings a route of its own, which comes before. */
const nowhere = ['unreachable', node.podCidr, 'metric', '4294967295'];

/** True from `setUpNetwork` until `tearDownNetwork`: only then is anything of this machine ours to remove. */
export function hostIsChanged(): boolean {
  return existsSync(settingsFile());
}

/** Removes interfaces and packet filter rules, and puts the kernel's settings back. */
export async function tearDownNetwork(): Promise<void> {
  for (const bridge of [node.podBridge, node.bridge]) {
    if (existsSync(`/sys/class/net/${bridge}`)) await run('ip', ['link', 'delete', bridge]);
  }
  await letOutside();
  for (const family of ['iptables', 'ip6tables']) await removeRules(family);
  restoreKernelSettings();
}

/** The network plugin's configuration: one bridge, addresses counted by host-local in the state folder. */
export function writePodNetwork(): void {
  mkdirSync(inState('cni'), { recursive: true });
  const ipam = {
    type: 'host-local',
    dataDir: inState('cni-addresses'),
    ranges: [[{ subnet: node.podCidr }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  // hairpinMode: a pod may call its own Service and be sent back to itself.
  const bridge = { type: 'bridge', bridge: node.podBridge, isGateway: true, hairpinMode: true, ipMasq: false, ipam };
  const list = { cniVersion: '1.0.0', name: node.podBridge, plugins: [bridge] };
  writeFileSync(inState('cni', '10-pods.conflist'), JSON.stringify(list, null, 2));
}

/**
 * The input for `iptables-restore --noflush` that removes all that Kubernetes put into a packet filter and leaves
 * every other rule and counter alone. Undefined when there is nothing to remove.
 * @param saved output of `iptables-save`
 */
export function removalOf(saved: string): string | undefined {
  const lines: string[] = [];
  let found = false;
  for (const table of saved.split(/^(?=\*)/m).filter((part) => part.startsWith('*'))) {
    const text = table.split('\n');
    const chains = text.flatMap((line) => /^:(KUBE-\S+)/.exec(line)?.[1] ?? []);
    const jumps = text.filter((line) => /^-A (?!KUBE-)/.test(line) && /-[jg] KUBE-/.test(line));
    found ||= chains.length > 0;
    lines.push(text[0] ?? '', ...chains.map((chain) => `:${chain} - [0:0]`));
    lines.push(...jumps.map((line) => line.replace(/^-A/, '-D')), ...chains.map((chain) => `-X ${chain}`), 'COMMIT');
  }
  return found ? `${lines.join('\n')}\n` : undefined;
}

async function refuseForeignKubernetes(): Promise<void> {
  if (!removalOf(await run('iptables-save', [], { allowFailure: true }))) return;
  throw new SandboxError(
    'another Kubernetes manages the packet filter of this machine (chains KUBE-… in iptables-save): ' +
      'use it by `npm run sandbox -- up --context NAME`, or take it down first',
  );
}

async function removeRules(family: string): Promise<void> {
  const removal = removalOf(await run(`${family}-save`, [], { allowFailure: true }));
  if (removal) await run(`${family}-restore`, ['--noflush'], { input: removal });
}

function noteKernelSettings(): void {
  const present = kernelSettings.filter((name) => existsSync(`/proc/sys/${name}`));
  const values = present.map((name) => [name, readFileSync(`/proc/sys/${name}`, 'utf8').trim()]);
  writeFileSync(settingsFile(), JSON.stringify(Object.fromEntries(values)));
}

function restoreKernelSettings(): void {
  const values = JSON.parse(readFileSync(settingsFile(), 'utf8')) as Record<string, string>;
  for (const [name, value] of Object.entries(values)) writeFileSync(`/proc/sys/${name}`, value);
  rmSync(settingsFile());
}
