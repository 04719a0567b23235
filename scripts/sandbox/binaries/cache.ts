import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from '../paths.ts';
import { catalog, type BinaryName, type BinaryRecipe } from './catalog.ts';

/** Where the cache keeps this version of a binary, present or not. */
function cachedFile(name: BinaryName, version: string): string {
  return join(cacheDir(), 'bin', `${name}-${version}`, name);
}

export function inCache(name: BinaryName): string | undefined {
  const { version, debian }: BinaryRecipe = catalog[name];
  const files = [version, ...(debian ? [debian.version] : [])].map((each) => cachedFile(name, each));
  return files.find((file) => existsSync(file));
}

/** Moves a finished file into the cache: by rename, so that an interrupted run never leaves half a binary. */
export function moveToCache(name: BinaryName, file: string, version: string = catalog[name].version): string {
  const target = cachedFile(name, version);
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
