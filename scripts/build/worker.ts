import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { bundle } from './bundle.ts';

/**
 * Bundles the worker with its packages: finding a thousand files is a sixth of a start. All is right in `dist`, as far
 * from the root as its source (worker/built.ts). Not bundled is what has to be the same for all that is loaded, what
 * extensions import included: Temporal's packages, which also find files of their own, and PostgreSQL's client; nor Redis's,
 * which is imported only when it is needed. Nothing is minified, and there is no source map, which costs a sixth of a
 * start: a stack leads to code that people can read.
 */
export async function buildWorker(source: string, dist: string, file: string): Promise<void> {
  const former = (await readdir(dist)).filter((name) => /^worker-\w+\.js$/.test(name));
  await Promise.all(former.map((name) => rm(join(dist, name))));
  await bundle(source, dist, basename(file, '.js'), {
    chunkNames: 'worker-[hash]',
    external: ['@temporalio/*', 'pg', 'pg-native', '@redis/client'],
  });
}
