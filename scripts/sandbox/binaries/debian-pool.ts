import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { report } from '../progress.ts';
import { run } from '../run.ts';
import { moveToCache, withWorkFolder } from './cache.ts';
import { catalog, type BinaryName, type BinaryRecipe } from './catalog.ts';
import { findInPath } from './debian.ts';
import { fetchFrom } from './download.ts';

const POOL = 'http://deb.debian.org/debian/pool/main';

/**
 * Takes a binary out of a package of a newer Debian than this machine may have, without installing it.
 * @returns undefined when there is none for this processor, or it cannot be had or does not run here, so that the next
 *   source is tried
 * @throws Error when what arrives does not have the pinned checksum
 */
export async function fetchFromDebian(name: BinaryName): Promise<string | undefined> {
  const { debian }: BinaryRecipe = catalog[name];
  const sha256 = debian?.sha256[process.arch as 'x64' | 'arm64'];
  if (!debian || !sha256 || process.platform !== 'linux' || !findInPath('dpkg-deb')) return undefined;
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const file = `${debian.package}_${debian.version}_${architecture}.deb`;
  report(`fetching ${name} ${debian.version} from Debian…`);
  const content = await fetchFrom(`${POOL}/${debian.package[0]}/${debian.package}/${file}`, name, 120_000);
  if (!content) return undefined;
  const actual = createHash('sha256').update(content).digest('hex');
  if (actual !== sha256) throw new Error(`${file} has SHA-256 ${actual}, expected ${sha256}: not used`);
  return withWorkFolder(async (folder) => {
    const archive = join(folder, file);
    writeFileSync(archive, content);
    await run('dpkg-deb', ['--extract', archive, folder]);
    const binary = join(folder, debian.member);
    const runs = await run(binary, ['--version']).then(
      () => true,
      (error: Error) => report(`${name} of Debian does not run here (${error.message}): trying the next source`),
    );
    return runs ? moveToCache(name, binary, debian.version) : undefined;
  });
}
