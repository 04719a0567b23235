import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SandboxError } from '../errors.ts';
import { sourceDir } from '../paths.ts';
import { report, timed } from '../progress.ts';
import { run } from '../run.ts';
import { moveToCache, withWorkFolder } from './cache.ts';
import { catalog, goModules, type BinaryName, type BinaryRecipe, type GoBuild } from './catalog.ts';

/** Builds the named binaries into the cache, those of one Go module together; while one module downloads, another compiles. */
export async function buildWithGo(names: BinaryName[]): Promise<void> {
  await Promise.all(
    (Object.keys(goModules) as (keyof typeof goModules)[]).map(async (module) => {
      const wanted = names.filter((name) => build(name)?.module === module);
      if (wanted.length > 0) await buildModule(module, wanted);
    }),
  );
}

async function buildModule(module: keyof typeof goModules, names: BinaryName[]): Promise<void> {
  const { flags, minutes } = goModules[module];
  report(`building ${names.join(', ')} (up to ${minutes} min on two cores, once)…`);
  const cwd = join(sourceDir, 'go', module);
  // -mod=readonly: what is not in go.sum is not built. GOFLAGS of the user must not change that.
  // The compiler takes three tenths less time without what only a debugger reads, and collecting its garbage less often.
  const env = { GOFLAGS: '', CGO_ENABLED: '0', GOWORK: 'off', GOGC: '400' };
  await withWorkFolder((folder) =>
    timed(`built ${names.join(', ')}`, async () => {
      const packages = names.map((name) => build(name)!.package);
      const common = ['-mod=readonly', '-trimpath', '-buildvcs=false', '-gcflags=all=-dwarf=false'];
      await go(['build', ...common, ...flags, '-o', `${folder}/`, ...packages], { cwd, env, what: module });
      for (const name of names) moveToCache(name, join(folder, outputName(build(name)!.package)));
    }),
  );
}

async function go(
  args: string[],
  { cwd, env, what }: { cwd: string; env: Record<string, string>; what: string },
): Promise<void> {
  const began = Date.now();
  const minutes = () => Math.round((Date.now() - began) / 60_000);
  const tick = setInterval(() => report(`still building ${what} (${minutes()} min)…`), 60_000);
  try {
    await run('go', args, { cwd, env });
  } catch (error) {
    const { message } = error as Error;
    const hint = message.startsWith('cannot run go')
      ? 'install Go 1.26 or newer (https://go.dev/dl) and try again: '
      : '';
    throw new SandboxError(hint + message);
  } finally {
    clearInterval(tick);
  }
}

/** The file name `go build` gives a package: its last folder that is not a major version. */
export function outputName(packagePath: string): string {
  return basename(packagePath.replace(/\/v\d+$/, ''));
}

function build(name: BinaryName): GoBuild | undefined {
  const recipe: BinaryRecipe = catalog[name];
  return recipe.go && existsSync(join(sourceDir, 'go', recipe.go.module, 'go.mod')) ? recipe.go : undefined;
}
