import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { refuseLazyCommonJs } from './lazy-commonjs.ts';
import { smallerProtocol } from './smaller-protocol.ts';

/**
 * Bundles the CLI with all its packages: one file opens faster than the thousand of node_modules. What the source
 * imports lazily (`await import()`) stays in chunks of its own and costs nothing until a command needs it.
 */
export async function buildCli(source: string, dist: string): Promise<void> {
  const { build } = await import('esbuild');
  await rm(join(dist, 'cli'), { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: [source],
    outdir: join(dist, 'cli'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    sourcemap: true,
    // Less to read and decode at each start; names stay, for stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    plugins: [smallerProtocol],
    logLevel: 'warning',
    define: { 'import.meta.main': 'true' }, // in the bundle the entry point is imported by the launcher
    banner: { js: COMMONJS_BANNER },
    metafile: true,
  });
  refuseLazyCommonJs(metafile);
  await writeFile(join(dist, 'windlass.js'), LAUNCHER);
  await chmod(join(dist, 'windlass.js'), 0o755);
}

/** CommonJS packages (gRPC, protobufjs) expect these three names, which ES modules do not have. */
export const COMMONJS_BANNER = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;`;

/** Keeps compiled code between runs, and names the problem when Node is too old to read the bundle. */
const LAUNCHER = `#!/usr/bin/env node
import module from 'node:module';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error('windlass needs Node 22.19 or newer, and this is ' + process.versions.node + '.');
  process.exit(1);
}
module.enableCompileCache(import.meta.dirname + '/.compile-cache');
await import('./cli/main.js');
`;
