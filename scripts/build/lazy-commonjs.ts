import type { Metafile } from 'esbuild';

/**
 * A CommonJS package that is bundled and imported by `await import()` would have a default export alone, and what its
 * source takes from it by name would be undefined when it is needed.
 * @throws Error naming each such import
 */
export function refuseLazyCommonJs({ inputs }: Metafile): void {
  const lazily = Object.entries(inputs).flatMap(([file, { imports }]) =>
    imports
      .filter(({ kind, path, external }) => kind === 'dynamic-import' && !external && inputs[path]?.format === 'cjs')
      .map(({ original, path }) => `${file} imports ${original ?? path}`),
  );
  if (lazily.length > 0) throw new Error(`CommonJS, imported lazily, has to stay outside: ${lazily.join('; ')}`);
}
