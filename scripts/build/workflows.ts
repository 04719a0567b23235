import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Bundles the workflows, as `Worker.create({ workflowBundle: { codePath } })` loads them.
 * @param file its name
 * @param failureConverterPath what turns errors into failures inside of workflows, instead of the SDK's own
 */
export async function bundleWorkflows(
  source: string,
  dist: string,
  file: string,
  failureConverterPath?: string,
): Promise<void> {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const interceptors = join(dirname(source), 'interceptors/index.ts');
  const { code } = await bundleWorkflowCode({
    logger: new DefaultLogger('WARN'),
    workflowsPath: source,
    ...(failureConverterPath ? { failureConverterPath } : {}),
    // A worker that loads a bundle takes its interceptors from there too.
    workflowInterceptorModules: existsSync(interceptors) ? [interceptors] : [],
  });
  await writeFile(join(dist, file), smaller(code));
}

/**
 * A worker holds its bundle several times: as it was read, as it was parsed, and its source map. Half the memory when all
 * is ASCII, because V8 then keeps one byte a character; and stack traces need the places of the map, not its sources.
 */
function smaller(bundle: string): string {
  const [, code, map] = /^([\s\S]*)\n\/\/# sourceMappingURL=data:application\/json;charset=utf-8;base64,(\S+)\s*$/.exec(
    bundle,
  )!;
  const { sourcesContent: _, ...places } = JSON.parse(Buffer.from(map!, 'base64').toString()) as Record<
    string,
    unknown
  >;
  const encoded = Buffer.from(JSON.stringify(places)).toString('base64');
  return `${ascii(code!)}\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,${encoded}`;
}

const ascii = (code: string): string =>
  // eslint-disable-next-line no-control-regex
  code.replaceAll(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
