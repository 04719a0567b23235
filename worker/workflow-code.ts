import { existsSync } from 'node:fs';
import { mkdir, rename, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { bundleWorkflowCode, type WorkerOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { isFresh, newestOf, ROOT } from './built.ts';

/** What a bundle is made of. */
const SOURCES = ['workflows', 'src/contracts', 'src/domain', 'src/expressions'];
const BUNDLES = {
  plain: join(ROOT, 'dist/workflow-bundle.js'),
  encrypted: join(ROOT, 'dist/workflow-bundle-encrypted.js'),
};
/** For the worker's side of what the `encrypted` bundle has built in. */
export const FAILURE_CONVERTER = join(ROOT, 'workflows/failure-converter.ts');

/**
 * The workflows: the bundle of `npm run build`, or a new one when a source is newer, which takes some seconds and is
 * kept for the next start. An old bundle is never run: it would decide otherwise than the source that people read.
 * @param kind `encrypted`: messages and stacks of failures leave the workflow as payloads, which a codec encrypts
 */
export async function loadWorkflowBundle(
  log: Logger,
  kind: keyof typeof BUNDLES,
): Promise<NonNullable<WorkerOptions['workflowBundle']>> {
  const file = BUNDLES[kind];
  const changedAt = newestOf(SOURCES);
  if (isFresh(file, changedAt)) return { codePath: file };

  log.warn(`${relative(ROOT, file)} is absent or older than its source: bundling, once`);
  const interceptors = join(ROOT, 'workflows/interceptors/index.ts');
  const bundle = await bundleWorkflowCode({
    workflowsPath: join(ROOT, 'workflows/index.ts'),
    ...(kind === 'encrypted' ? { failureConverterPath: FAILURE_CONVERTER } : {}),
    workflowInterceptorModules: existsSync(interceptors) ? [interceptors] : [],
    logger: { ...console, log: quiet, trace: quiet, debug: quiet, info: quiet },
  });
  await keep(file, bundle.code, changedAt).catch((error: Error) =>
    log.warn(`the bundle was not kept: ${error.message}`),
  );
  return bundle;
}

const quiet = () => undefined;

async function keep(bundle: string, code: string, changedAt: number): Promise<void> {
  await mkdir(dirname(bundle), { recursive: true });
  const file = `${bundle}.${process.pid}`;
  await writeFile(file, code);
  // As old as the source it was made of: a file saved while we bundled makes it stale.
  await utimes(file, new Date(), new Date(changedAt + 1));
  await rename(file, bundle);
}
