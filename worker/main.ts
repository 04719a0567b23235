// A Windlass worker: `npm run worker`. Configured by its environment (config.ts); docs/worker.md has the list.
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isFresh, newestOf, ROOT } from './built.ts';
import type { start as Start } from './start.ts';

// Before the first import: the SDKs are thousands of functions, and compiling them is most of a start. Finding them is
// the rest: `npm run build` leaves nearly all in one file. In a checkout with newer sources these are run.
enableCompileCache();
const bundle = join(ROOT, 'dist/worker.js');
const built = isFresh(bundle, newestOf(['activities', 'src', 'worker', 'package-lock.json']));
const { start } = (await import(built ? pathToFileURL(bundle).href : './start.ts')) as { start: typeof Start };
process.exitCode = await start(process.env);
