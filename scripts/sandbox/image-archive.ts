import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, realpathSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LayerEntry } from './docker-archive.ts';

/**
 * Shared libraries that binaries need, with their loader, by the absolute paths at which the loader looks for them.
 * `ldd` prints `name => /path (0x…)`, and the loader as `/path (0x…)`.
 * @throws Error when one is not installed
 */
export async function sharedLibraries(binaries: string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ldd', binaries);
  const missing = /^\s*(\S+) => not found/m.exec(stdout);
  if (missing) throw new Error(`${binaries.join(', ')}: ${missing[1]} is needed and not installed on this machine`);
  return [...new Set([...stdout.matchAll(/(\/\S+) \(0x[0-9a-f]+\)/g)].map((match) => match[1]!))].sort();
}

/**
 * Files of this machine at their own absolute paths. Sources are real files: libraries are usually links, and a layer that
 * held the links would need their targets too.
 */
export function asTheyAre(paths: string[], mode?: number): LayerEntry[] {
  return paths.map((path) => ({
    path: path.slice(1),
    kind: 'file',
    source: realpathSync(path),
    ...(mode === undefined ? {} : { mode }),
  }));
}

/** Every folder above the given entries, with those named besides; a file's folder must come before it. */
export function foldersOf(entries: LayerEntry[], besides: Record<string, number> = {}): LayerEntry[] {
  const modes = new Map<string, number>(Object.entries(besides));
  for (const path of [...entries.map((entry) => entry.path), ...modes.keys()]) {
    const parts = path.split('/').slice(0, -1);
    for (let end = 1; end <= parts.length; end++) {
      const folder = parts.slice(0, end).join('/');
      if (!modes.has(folder)) modes.set(folder, 0o755);
    }
  }
  return [...modes]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([path, mode]) => ({ path, kind: 'directory', mode }));
}

/** What an archive is kept under, and how it is made. */
export interface ArchiveRecipe {
  cacheDir: string;
  /** Archives of one family replace each other: `<family>-<hash>.tar`. */
  family: string;
  /** Everything that goes into the images; with `entries` it makes up the hash. */
  form: unknown;
  entries: LayerEntry[];
  /** Writes the archive to a path; `scratch` is a folder for what is needed on the way. */
  write: (tarPath: string, scratch: string) => Promise<void>;
}

/**
 * The archive of some images, written only when their contents are not those of the one that is there; archives of other
 * contents are removed.
 * @returns its path
 */
export async function keptArchive({ cacheDir, family, form, entries, write }: ArchiveRecipe): Promise<string> {
  const tarPath = join(cacheDir, `${family}-${await contentHash(form, entries)}.tar`);
  if (existsSync(tarPath)) return tarPath;
  await mkdir(cacheDir, { recursive: true });
  for (const old of await readdir(cacheDir)) {
    if (old.startsWith(`${family}-`)) await rm(join(cacheDir, old), { force: true });
  }
  const scratch = await mkdtemp(join(cacheDir, 'layers-'));
  try {
    // Written beside and renamed, so that an archive with this name is always whole.
    await write(join(scratch, 'archive'), scratch);
    await rename(join(scratch, 'archive'), tarPath);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return tarPath;
}

/** Names the archive after everything that goes into it. */
async function contentHash(form: unknown, entries: LayerEntry[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(form));
  for (const entry of entries) {
    hash.update(`${entry.path}\0${entry.mode ?? ''}\0`);
    if ('source' in entry) for await (const chunk of createReadStream(entry.source)) hash.update(chunk as Buffer);
  }
  return hash.digest('hex').slice(0, 16);
}
