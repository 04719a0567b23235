import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Bundles the workflows, as `Worker.create({ workflowBundle: { codePath } })` loads them. */
export async function bundleWorkflows(source: string, dist: string): Promise<void> {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const interceptors = join(dirname(source), 'interceptors/index.ts');
  const { code } = await bundleWorkflowCode({
    logger: new DefaultLogger('WARN'),
    workflowsPath: source,
    // A worker that loads a bundle takes its interceptors from there too.
    workflowInterceptorModules: existsSync(interceptors) ? [interceptors] : [],
  });
  await writeFile(join(dist, 'workflow-bundle.js'), code);
}
