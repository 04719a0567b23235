// `npm run build`: what is shipped, in dist/: the CLI (windlass.js), the worker and the workflow bundles it loads.
// It also runs after `npm ci` (npm's `prepare`), so that `npx windlass` works in a fresh clone.
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCli } from './build/cli.ts';
import { buildWorker } from './build/worker.ts';
import { bundleWorkflows } from './build/workflows.ts';
import { duration } from './testing/report.ts';
import { ROOT } from './testing/tools.ts';

const DIST = join(ROOT, 'dist');

// As `prepare` a failure is told and no more: whoever has to repair the source needs an installation first. And an
// installation for production (`npm ci --omit=dev`) brings no bundler: it gets dist/ from where it was built.
const preparing = process.env['npm_lifecycle_event'] === 'prepare';
if (preparing && !installed('esbuild')) process.exit(0);

await step('windlass.js', 'src/cli/main.ts', buildCli);
await step('worker.js', 'worker/start.ts', buildWorker);
await step('workflow-bundle.js', 'workflows/index.ts', bundleWorkflows);
// For workers with keys for payloads: what leaves a failing workflow is encrypted too.
await step('workflow-bundle-encrypted.js', 'workflows/index.ts', (source, dist, file) =>
  bundleWorkflows(source, dist, file, join(ROOT, 'workflows/failure-converter.ts')),
);

type Build = (source: string, dist: string, output: string) => Promise<void>;

/** Builds one output, or says that its source does not exist. */
async function step(output: string, source: string, build: Build): Promise<void> {
  if (!existsSync(join(ROOT, source))) {
    process.stdout.write(`skipped dist/${output}: there is no ${source}\n`);
    return;
  }
  const started = performance.now();
  await mkdir(DIST, { recursive: true });
  await rm(join(DIST, output), { force: true }); // better none than one of yesterday's source
  try {
    await build(join(ROOT, source), DIST, output);
  } catch (error) {
    if (!preparing) throw error;
    process.stdout.write(`FAILED  dist/${output}: ${(error as Error).message} (npm run build shows more)\n`);
    return;
  }
  process.stdout.write(`built   dist/${output} (${duration((performance.now() - started) / 1000)})\n`);
}

function installed(name: string): boolean {
  try {
    return existsSync(fileURLToPath(import.meta.resolve(name)));
  } catch {
    return false;
  }
}
