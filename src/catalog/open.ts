import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog } from './catalog.ts';
import { loadCatalog, type CatalogPlaces } from './load.ts';

/**
 * The catalog of a long-running process: read once, and again when a file changed, so that an edit needs no restart.
 * A broken edit fails the procedures that start (CatalogInvalid) instead of running them on what was there before.
 */
export function openCatalog(places: CatalogPlaces): { current(): Promise<Catalog> } {
  let loaded: { state: string; catalog: Promise<Catalog> } | undefined;
  return {
    async current() {
      const state = await stateOf(places);
      if (loaded?.state !== state) loaded = { state, catalog: loadCatalog(places) };
      return loaded.catalog;
    },
  };
}

/** Changes whenever a file is added, removed or written. Inode too: editors and mounted ConfigMaps replace files. */
async function stateOf({ directory, overlays = [] }: CatalogPlaces): Promise<string> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => /\.ya?ml$/.test(name)).sort();
  const paths = [...names.map((name) => join(directory, name)), ...overlays];
  const states = paths.map(async (path) => {
    const found = await stat(path).catch(() => undefined);
    return found ? `${path}:${found.ino}:${found.mtimeMs}:${found.size}` : `${path}:absent`;
  });
  return (await Promise.all(states)).join('\n');
}
