import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { pack, type Pack } from 'tar-stream';

/** A file or folder of an image layer; `source` is the path of a file on this machine. */
export type LayerEntry =
  { path: string; kind: 'directory'; mode?: number } | { path: string; kind: 'file'; mode?: number; source: string };

export interface Layer {
  tarPath: string;
  /** Of the uncompressed tar, as the image configuration's `diff_ids` want it. */
  sha256: string;
  size: number;
}

export interface ImageSpec {
  tag: string;
  layers: Layer[];
  env: Record<string, string>;
  command: string[];
  workingDirectory: string;
  /** Numeric, so that Kubernetes can check `runAsNonRoot`. */
  user: string;
  /** What ends it well; default SIGTERM. */
  stopSignal?: NodeJS.Signals;
}

const ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };
export const STANDARD_PATH = '/usr/local/bin:/usr/bin:/bin';
/** One fixed time makes equal contents equal archives. */
const EPOCH = new Date(0);

async function addFile(archive: Pack, name: string, source: string, mode: number, size: number): Promise<void> {
  const entry = archive.entry({ name, mode, size, mtime: EPOCH });
  await pipeline(createReadStream(source), entry);
}

/** Writes one image layer. Owner root, fixed times: the same entries give the same bytes. */
export async function writeLayer(tarPath: string, entries: LayerEntry[]): Promise<Layer> {
  const archive = pack();
  const hash = createHash('sha256');
  let size = 0;
  const written = pipeline(
    archive,
    async function* (chunks: AsyncIterable<unknown>) {
      for await (const chunk of chunks as AsyncIterable<Buffer>) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    },
    createWriteStream(tarPath),
  );
  for (const entry of entries) {
    const mode = entry.mode ?? (entry.kind === 'directory' ? 0o755 : 0o644);
    if (entry.kind === 'directory') archive.entry({ name: `${entry.path}/`, type: 'directory', mode, mtime: EPOCH });
    else await addFile(archive, entry.path, entry.source, mode, (await stat(entry.source)).size);
  }
  archive.finalize();
  await written;
  return { tarPath, sha256: hash.digest('hex'), size };
}

function configuration(image: ImageSpec): string {
  return JSON.stringify({
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    created: EPOCH.toISOString(),
    config: {
      User: image.user,
      WorkingDir: image.workingDirectory,
      Cmd: image.command,
      Env: Object.entries({ PATH: STANDARD_PATH, ...image.env }).map(([name, value]) => `${name}=${value}`),
      ...(image.stopSignal ? { StopSignal: image.stopSignal } : {}),
    },
    rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => `sha256:${layer.sha256}`) },
  });
}

/**
 * Writes images as one docker-archive (the `docker save` format: configurations, layers, manifest.json), which
 * `ctr -n k8s.io images import` reads without a registry. A layer that several images share is stored once.
 */
export async function writeDockerArchive(tarPath: string, images: ImageSpec[]): Promise<void> {
  const archive = pack();
  const written = pipeline(archive, createWriteStream(tarPath));
  const stored = new Set<string>();
  const manifest = [];
  for (const image of images) {
    const config = configuration(image);
    const configName = `${createHash('sha256').update(config).digest('hex')}.json`;
    archive.entry({ name: configName, mtime: EPOCH }, config);
    for (const layer of image.layers) {
      if (stored.has(layer.sha256)) continue;
      stored.add(layer.sha256);
      await addFile(archive, `${layer.sha256}/layer.tar`, layer.tarPath, 0o644, layer.size);
    }
    manifest.push({
      Config: configName,
      RepoTags: [image.tag],
      Layers: image.layers.map((l) => `${l.sha256}/layer.tar`),
    });
  }
  archive.entry({ name: 'manifest.json', mtime: EPOCH }, JSON.stringify(manifest));
  archive.finalize();
  await written;
}
