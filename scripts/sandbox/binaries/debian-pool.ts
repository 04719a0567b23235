import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { report } from '../progress.ts';
import { run } from '../run.ts';
import { moveToCache, withWorkFolder } from './cache.ts';
import { arch, catalog, type BinaryName, type BinaryRecipe } from './catalog.ts';
import { findInPath } from './debian.ts';
import { fetchFrom, verify } from './download.ts';

const POOL = 'http://deb.debian.org/debian/pool/main';

/**
 * Takes a binary out of a package of a newer Debian than this machine may have, without installing it.
 * @returns undefined when there is none for this processor, or it cannot be had or does not run here, so that the next
 *   source is tried
 * @throws Error when what arrives does not have the pinned checksum
 */
export async function fetchFromDebian(name: BinaryName): Promise<string | undefined> {
  const { debian }: BinaryRecipe = catalog[name];
  const sha256 = debian?.sha256[arch];
  if (!debian || !sha256 || process.platform !== 'linux' || !findInPath('dpkg-deb')) return undefined;
  const file = `${debian.package}_${debian.version}_${arch}.deb`;
  report(`fetching ${name} ${debian.version} from Debian…`);
  const content = await fetchFrom(`${POOL}/${debian.package[0]}/${debian.package}/${file}`, name, 120_000);
  if (!content) return undefined;
  verify(file, content, sha256);
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
