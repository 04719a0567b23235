import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalog } from '../../scripts/sandbox/binaries/catalog.ts';
import { resolveBinaries } from '../../scripts/sandbox/binaries/index.ts';

const variables = ['PATH', 'KUBEBUILDER_ASSETS', 'WINDLASS_CACHE', 'WINDLASS_ETCD'] as const;
const saved = Object.fromEntries(variables.map((name) => [name, process.env[name]]));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'windlass-binaries-'));
  process.env.WINDLASS_CACHE = join(folder, 'cache');
  etcd('cache/bin/etcd-v3.6.4', '3.6.4');
  delete process.env.KUBEBUILDER_ASSETS;
  delete process.env.WINDLASS_ETCD;
});

afterEach(() => {
  for (const name of variables) {
    if (saved[name] === undefined) delete process.env[name];
    else process.env[name] = saved[name];
  }
  rmSync(folder, { recursive: true });
});

test('a binary named by its variable comes before all others, whatever its version', async () => {
  process.env.WINDLASS_ETCD = etcd('named', '3.4.0');
  inPath(etcd('path', '3.6.1'));
  expect(await found()).toBe(join(folder, 'named/etcd'));
});

test('a binary of KUBEBUILDER_ASSETS comes before PATH and cache', async () => {
  process.env.KUBEBUILDER_ASSETS = join(etcd('assets', '3.6.1'), '..');
  inPath(etcd('path', '3.6.1'));
  expect(await found()).toBe(join(folder, 'assets/etcd'));
});

test('a binary in PATH comes before the cache when its version serves', async () => {
  inPath(etcd('path', '3.6.1'));
  expect(await found()).toBe(join(folder, 'path/etcd'));
});

test('a binary in PATH that is too old is passed over', async () => {
  inPath(etcd('path', '3.4.23'));
  expect(await found()).toBe(join(folder, 'cache/bin/etcd-v3.6.4/etcd'));
});

test('a variable that names nothing is an error, not a reason to look elsewhere', async () => {
  process.env.WINDLASS_ETCD = '/nowhere/etcd';
  await expect(found()).rejects.toThrow('WINDLASS_ETCD names /nowhere/etcd, which does not exist');
});

test('what was taken from Debian is found again in the cache; the official version comes before it', async () => {
  const { debian, version } = catalog.prometheus;
  const kept = (of: string) => join(folder, `cache/bin/prometheus-${of}/prometheus`);
  const keep = (of: string) => {
    mkdirSync(join(kept(of), '..'), { recursive: true });
    writeFileSync(kept(of), '');
  };
  keep(debian.version);
  expect(await resolveBinaries(['prometheus'])).toEqual({ prometheus: kept(debian.version) });
  keep(version);
  expect(await resolveBinaries(['prometheus'])).toEqual({ prometheus: kept(version) });
});

async function found(): Promise<string> {
  return (await resolveBinaries(['etcd'])).etcd;
}

/** A program that shows a version as etcd does. */
function etcd(name: string, version: string): string {
  const file = join(folder, name, 'etcd');
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho 'etcd Version: ${version}'\n`);
  chmodSync(file, 0o755);
  return file;
}

function inPath(file: string): void {
  process.env.PATH = `${join(file, '..')}:${saved.PATH}`;
}
