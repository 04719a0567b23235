// A Windlass worker: `npm run worker`. Configured by its environment (config.ts); docs/worker.md has the list.
import { enableCompileCache } from 'node:module';

// Before the first import: the SDKs are thousands of functions, and compiling them is most of a start.
enableCompileCache();
const { start } = await import('./start.ts');
process.exitCode = await start(process.env);
