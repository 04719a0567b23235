import { execFile } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeDockerArchive, writeLayer, type LayerEntry } from './docker-archive.ts';
import { asTheyAre, foldersOf, keptArchive, sharedLibraries } from './image-archive.ts';

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

async function baseEntries(): Promise<LayerEntry[]> {
  const node = nodeBinary();
  const libraries = asTheyAre(await sharedLibraries([node]), 0o755);
  const files: LayerEntry[] = [...libraries, { path: 'usr/local/bin/node', kind: 'file', mode: 0o755, source: node }];
  return [...foldersOf(files, { tmp: 0o1777, etc: 0o755 }), ...files];
}

async function appEntries(): Promise<LayerEntry[]> {
  const files = (await readdir(APP_DIR)).sort();
  return [
    { path: 'app', kind: 'directory' },
    ...files.map((name): LayerEntry => ({ path: `app/${name}`, kind: 'file', source: join(APP_DIR, name) })),
  ];
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
  const tarPath = await keptArchive({
    ...{ cacheDir: options.cacheDir, family: 'sample-images', form: [FORMAT, SAMPLE_VERSIONS] },
    entries: [...base, ...app],
    async write(archive, scratch) {
      const node = await promisify(execFile)(nodeBinary(), ['--version']);
      options.log(`building the sample application's images (node ${node.stdout.trim()}, ${tags.length} versions)`);
      const layers = [await writeLayer(join(scratch, 'base'), base), await writeLayer(join(scratch, 'app'), app)];
      const images = SAMPLE_VERSIONS.map((version, i) => ({
        tag: tags[i]!,
        layers,
        env: { APP_VERSION: version },
        command: ['node', '/app/server.js'],
        workingDirectory: '/app',
        user: '65534:65534',
      }));
      await writeDockerArchive(archive, images);
    },
  });
  return { tarPath, tags };
}
