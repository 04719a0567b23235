import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDebianPackages, findInPath } from './binaries/debian.ts';
import { SandboxError } from './errors.ts';

/** Programs of the host and the Debian package that brings each. */
const clusterPrograms = {
  containerd: 'containerd',
  runc: 'runc',
  iptables: 'iptables',
  conntrack: 'conntrack',
  ip: 'iproute2',
  openssl: 'openssl',
};

/** Installs what the cluster needs of Debian and is not here yet. */
export async function ensureClusterPrograms(): Promise<void> {
  const missing = Object.entries(clusterPrograms).filter(([program]) => !findInPath(program));
  const plugins = ['/usr/lib/cni/bridge', '/opt/cni/bin/bridge'].some((file) => existsSync(file));
  await ensureDebianPackages([...missing.map(([, name]) => name), ...(plugins ? [] : ['containernetworking-plugins'])]);
}

/**
 * Path of PostgreSQL's programs (`initdb`, `postgres`): PATH, else Debian's folder, else installed; and zstd, which
 * backups go through.
 * @throws SandboxError when they can be neither found nor installed
 */
export async function ensurePostgres(): Promise<string> {
  const found = postgresFolder();
  await ensureDebianPackages([...(found ? [] : ['postgresql']), ...(findInPath('zstd') ? [] : ['zstd'])]);
  if (found) return found;
  const installed = postgresFolder();
  if (!installed) throw new SandboxError('the package postgresql brought no initdb');
  return installed;
}

/** Path of `redis-server`: PATH, else installed from Debian. */
export async function ensureRedis(): Promise<string> {
  if (!findInPath('redis-server')) await ensureDebianPackages(['redis-server']);
  const found = findInPath('redis-server');
  if (!found) throw new SandboxError('the package redis-server brought no redis-server');
  return found;
}

/** Path of a Chromium for browser tests: WINDLASS_CHROMIUM, PATH, else installed from Debian. */
export async function ensureChromium(): Promise<string> {
  const find = () => process.env.WINDLASS_CHROMIUM ?? findInPath('chromium') ?? findInPath('google-chrome');
  if (!find()) await ensureDebianPackages(['chromium']);
  const found = find();
  if (!found) throw new SandboxError('no Chromium found: name one by WINDLASS_CHROMIUM');
  return found;
}

function postgresFolder(): string | undefined {
  const inPath = findInPath('initdb');
  if (inPath && findInPath('postgres')) return join(inPath, '..');
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(debian, version, 'bin')).find((dir) => existsSync(join(dir, 'initdb')));
}
