import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, rename, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkerOptions } from '@temporalio/worker';
import type { Logger } from 'pino';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BUNDLE = join(ROOT, 'dist/workflow-bundle.js');
/** What a bundle is made of. */
const SOURCES = ['workflows', 'src/contracts', 'src/domain', 'src/expressions'].map((folder) => join(ROOT, folder));

/**
 * The workflows: the bundle of `npm run build`, or a new one when a source is newer, which takes some seconds and is
 * kept for the next start. An old bundle is never run: it would decide otherwise than the source that people read.
 */
export async function loadWorkflowBundle(log: Logger): Promise<NonNullable<WorkerOptions['workflowBundle']>> {
  const changedAt = Math.max(...SOURCES.map(newest));
  if (existsSync(BUNDLE) && statSync(BUNDLE).mtimeMs >= changedAt) return { codePath: BUNDLE };

  log.warn('dist/workflow-bundle.js is absent or older than its source: bundling, once');
  const interceptors = join(ROOT, 'workflows/interceptors/index.ts');
  const bundle = await bundleWorkflowCode({
    workflowsPath: join(ROOT, 'workflows/index.ts'),
    workflowInterceptorModules: existsSync(interceptors) ? [interceptors] : [],
    logger: { ...console, log: quiet, trace: quiet, debug: quiet, info: quiet },
  });
  await keep(bundle.code, changedAt).catch((error: Error) => log.warn(`the bundle was not kept: ${error.message}`));
  return bundle;
}

const quiet = () => undefined;

async function keep(code: string, changedAt: number): Promise<void> {
  await mkdir(dirname(BUNDLE), { recursive: true });
  const file = `${BUNDLE}.${process.pid}`;
  await writeFile(file, code);
  // As old as the source it was made of: a file saved while we bundled makes it stale.
  await utimes(file, new Date(), new Date(changedAt + 1));
  await rename(file, BUNDLE);
}

/** Time of the newest file of a folder; 0 where only the bundle was shipped. */
function newest(folder: string): number {
  if (!existsSync(folder)) return 0;
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Math.max(0, ...files.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
}
