import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, realpathSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeDockerArchive, writeLayer, type LayerEntry } from './docker-archive.ts';

const APP_DIR = join(import.meta.dirname, 'app');
const REPOSITORY = 'docker.io/windlass/sample';
/** v3 to v9 each have a fault (app/faults.js); v1, v2 and v10 are good. */
export const SAMPLE_VERSIONS = ['v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8', 'v9', 'v10'];
/** Part of the archive's name, so that a change of its form makes a new one. */
const FORMAT = 1;

export interface SampleImages {
  /** One docker-archive that holds every tag: `ctr -n k8s.io images import TAR`. */
  tarPath: string;
  tags: string[];
}

/** The Node that the project installs, or else the one that runs this. */
function nodeBinary(): string {
  try {
    return createRequire(import.meta.url).resolve(`node-linux-${process.arch}/bin/node`);
  } catch {
    return realpathSync(process.execPath);
  }
}

/**
 * Shared libraries a binary needs, with its loader, by the absolute paths at which the loader looks for them.
 * `ldd` prints `name => /path (0x…)`, and the loader as `/path (0x…)`.
 */
async function sharedLibraries(binary: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ldd', [binary]);
  const missing = /^\s*(\S+) => not found/m.exec(stdout);
  if (missing) throw new Error(`${binary} needs ${missing[1]}, which is not installed on this machine`);
  return [...stdout.matchAll(/(\/\S+) \(0x[0-9a-f]+\)/g)].map((match) => match[1]!);
}

async function baseEntries(): Promise<LayerEntry[]> {
  const node = nodeBinary();
  const libraries = await sharedLibraries(node);
  const folders = new Set(['tmp', 'etc', 'usr', 'usr/local', 'usr/local/bin']);
  for (const library of libraries) {
    const parts = library.split('/').slice(1, -1);
    parts.forEach((_, i) => folders.add(parts.slice(0, i + 1).join('/')));
  }
  return [
    ...[...folders]
      .sort()
      .map((path): LayerEntry => ({ path, kind: 'directory', mode: path === 'tmp' ? 0o1777 : 0o755 })),
    // Sources are real files: libraries are usually links, and a layer that held the links would need their targets too.
    ...libraries
      .sort()
      .map((path): LayerEntry => ({ path: path.slice(1), kind: 'file', mode: 0o755, source: realpathSync(path) })),
    { path: 'usr/local/bin/node', kind: 'file', mode: 0o755, source: node },
  ];
}

async function appEntries(): Promise<LayerEntry[]> {
  const files = (await readdir(APP_DIR)).sort();
  return [
    { path: 'app', kind: 'directory' },
    ...files.map((name): LayerEntry => ({ path: `app/${name}`, kind: 'file', source: join(APP_DIR, name) })),
  ];
}

/** Names the archive after everything that goes into it. */
async function contentHash(entries: LayerEntry[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([FORMAT, SAMPLE_VERSIONS]));
  for (const entry of entries) {
    hash.update(`${entry.path}\0${entry.mode ?? ''}\0`);
    if ('source' in entry) for await (const chunk of createReadStream(entry.source)) hash.update(chunk as Buffer);
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * Builds the sample application's images without a registry or an engine: a base layer of node and its libraries, stored
 * once, and a layer with the application. Versions differ only in `APP_VERSION`.
 *
 * The result is kept in `cacheDir` under a hash of its contents; archives of other contents are removed.
 * @param options `log` gets one line per thing done
 * @throws Error when a library of node is not installed
 */
export async function buildSampleImages(options: {
  cacheDir: string;
  log: (line: string) => void;
}): Promise<SampleImages> {
  const tags = SAMPLE_VERSIONS.map((version) => `${REPOSITORY}:${version}`);
  const base = await baseEntries();
  const app = await appEntries();
  const name = `sample-images-${await contentHash([...base, ...app])}.tar`;
  const tarPath = join(options.cacheDir, name);
  if (existsSync(tarPath)) return { tarPath, tags };

  await mkdir(options.cacheDir, { recursive: true });
  for (const old of await readdir(options.cacheDir)) {
    if (old.startsWith('sample-images-')) await rm(join(options.cacheDir, old), { force: true });
  }
  const node = await promisify(execFile)(nodeBinary(), ['--version']);
  options.log(`building the sample application's images (node ${node.stdout.trim()}, ${tags.length} versions)`);
  const scratch = await mkdtemp(join(options.cacheDir, 'layers-'));
  try {
    const layers = [await writeLayer(join(scratch, 'base'), base), await writeLayer(join(scratch, 'app'), app)];
    const images = SAMPLE_VERSIONS.map((version, i) => ({
      tag: tags[i]!,
      layers,
      env: { APP_VERSION: version },
      command: ['node', '/app/server.js'],
      workingDirectory: '/app',
      user: '65534:65534',
    }));
    // Written beside and renamed, so that an archive with this name is always whole.
    await writeDockerArchive(join(scratch, 'archive'), images);
    await rename(join(scratch, 'archive'), tarPath);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  options.log(`wrote ${name}`);
  return { tarPath, tags };
}
