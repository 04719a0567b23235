import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from '../paths.ts';
import { catalog, type BinaryName } from './catalog.ts';

/** Where the cache keeps this version of a binary, present or not. */
export function cachedFile(name: BinaryName): string {
  return join(cacheDir(), 'bin', `${name}-${catalog[name].version}`, name);
}

export function inCache(name: BinaryName): string | undefined {
  return existsSync(cachedFile(name)) ? cachedFile(name) : undefined;
}

/** Moves a finished file into the cache: by rename, so that an interrupted run never leaves half a binary. */
export function moveToCache(name: BinaryName, file: string): string {
  const target = cachedFile(name);
  mkdirSync(join(target, '..'), { recursive: true });
  renameSync(file, target);
  return target;
}

/** Gives `work` a folder on the cache's own file system and removes it afterwards. */
export async function withWorkFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  mkdirSync(cacheDir(), { recursive: true });
  const folder = mkdtempSync(join(cacheDir(), 'work-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
