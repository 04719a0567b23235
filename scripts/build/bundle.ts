import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BuildOptions, Metafile } from 'esbuild';

type Own = Pick<
  BuildOptions,
  'chunkNames' | 'define' | 'external' | 'minifySyntax' | 'minifyWhitespace' | 'plugins' | 'sourcemap'
>;

/**
 * Bundles a program of Node with its packages. What its source imports lazily (`await import()`) stays in chunks of its
 * own and costs nothing until it is needed.
 * @param name of the entry's output, without `.js`
 * @throws Error when the bundle would not do what its source does; then nothing is written
 */
export async function bundle(source: string, folder: string, name: string, own: Own): Promise<void> {
  const { build } = await import('esbuild');
  const { metafile, outputFiles } = await build({
    ...own,
    entryPoints: { [name]: source },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    logLevel: 'warning',
    banner: { js: COMMONJS_BANNER },
    metafile: true,
    write: false,
  });
  refuseLazyCommonJs(metafile);
  for (const { path, contents } of outputFiles) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, contents);
  }
}

/** CommonJS packages (gRPC, protobufjs) expect these three names, which ES modules do not have. */
const COMMONJS_BANNER = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;`;

/**
 * A CommonJS package that is bundled and imported by `await import()` would have a default export alone, and what its
 * source takes from it by name would be undefined when it is needed.
 * @throws Error naming each such import
 */
function refuseLazyCommonJs({ inputs }: Metafile): void {
  const lazily = Object.entries(inputs).flatMap(([file, { imports }]) =>
    imports
      .filter(({ kind, path, external }) => kind === 'dynamic-import' && !external && inputs[path]?.format === 'cjs')
      .map(({ original, path }) => `${file} imports ${original ?? path}`),
  );
  if (lazily.length > 0) throw new Error(`CommonJS, imported lazily, has to stay outside: ${lazily.join('; ')}`);
}
