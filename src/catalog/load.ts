import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog } from './catalog.ts';
import { CatalogError } from './errors.ts';
import { parseFile, type CatalogFile } from './parse.ts';
import { readSystems } from './read-systems.ts';

export interface CatalogPlaces {
  /** Folder of the `<system>.yaml` files. */
  directory: string;
  /** Overlay files; each says by `overlayOf` which system it changes. Later ones win. */
  overlays?: string[];
}

/**
 * Reads and validates every system of a folder.
 * @throws CatalogError CatalogInvalid with every fault of every file, a line each: `systems/shop.yaml:12:5: expected …`
 */
export async function loadCatalog({ directory, overlays = [] }: CatalogPlaces): Promise<Catalog> {
  const names = (await listYaml(directory)).map((name) => join(directory, name));
  const files = await Promise.all(names.map(readYaml));
  const changes = await Promise.all(overlays.map(readYaml));
  const { systems, problems } = readSystems(files, changes);
  if (problems.length > 0) throw new CatalogError('CatalogInvalid', problems.join('\n'));
  return { systems };
}

async function listYaml(directory: string): Promise<string[]> {
  const entries = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    throw new CatalogError('CatalogInvalid', `${directory}: expected a folder of system files (${error.code})`);
  });
  const names = entries.filter((name) => /\.ya?ml$/.test(name)).sort();
  if (names.length === 0) throw new CatalogError('CatalogInvalid', `${directory}: expected at least one <system>.yaml`);
  return names;
}

async function readYaml(path: string): Promise<CatalogFile> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CatalogError('CatalogInvalid', `${path}: cannot be read (${error.code})`);
  });
  return parseFile(path, text);
}
