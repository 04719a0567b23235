import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { inState } from './paths.ts';
import { pauseImage } from './pause-image.ts';
import { ready, start } from './processes.ts';
import { run } from './run.ts';

export const containerdSocket = () => inState('containerd.sock');

/** Runs `ctr` on the sandbox's containerd, in the namespace that Kubernetes uses. */
export function ctr(...args: string[]): Promise<string> {
  return run('ctr', ['--address', containerdSocket(), '--namespace', 'k8s.io', ...args]);
}

/** Starts containerd with all its files in the state folder, where teardown finds them. */
export async function startContainerd(): Promise<void> {
  mkdirSync(inState('containerd'), { recursive: true });
  writeFileSync(inState('containerd.toml'), configuration());
  start({ name: 'containerd', command: 'containerd', args: ['--config', inState('containerd.toml')] });
  await ready('containerd', async () => (await ctr('version')).includes('Server'));
}

/** Imports an image archive, once per archive name and state folder. */
export async function importImages(archive: string): Promise<void> {
  const mark = inState('containerd', `imported-${basename(archive)}`);
  if (existsSync(mark)) return;
  await ctr('images', 'import', archive);
  writeFileSync(mark, '');
}

function configuration(): string {
  // restrict_oom_score_adj: without CAP_SYS_RESOURCE every pod fails with "can't get final child's PID".
  // netns_mounts_under_state_dir and runc's Root: nothing of the sandbox outside the state folder.
  return `version = 2
root = "${inState('containerd', 'root')}"
state = "${inState('containerd', 'state')}"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "${containerdSocket()}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${inState('containerd', 'opt')}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${cniPlugins()}"
    conf_dir = "${inState('cni')}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "${inState('runc')}"
        SystemdCgroup = false
`;
}

/** Debian puts the network plugins into /usr/lib/cni, other distributions and the project itself into /opt/cni/bin. */
function cniPlugins(): string {
  const folders = [process.env.WINDLASS_CNI_PLUGINS, '/usr/lib/cni', '/opt/cni/bin'];
  return folders.find((folder) => folder && existsSync(join(folder, 'bridge'))) ?? '/usr/lib/cni';
}
