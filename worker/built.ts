import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the installation: one folder up from here, and from `dist/` when this is bundled there. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Time in milliseconds of the newest of some files and of the files in some folders, which are named from the root; 0
 * where only what was built is shipped.
 */
export const newestOf = (sources: string[]): number => Math.max(0, ...sources.map((each) => newest(join(ROOT, each))));

/** True for an output of `npm run build` that is not older than its sources: an old one is never run. */
export const isFresh = (output: string, changedAt: number): boolean =>
  existsSync(output) && statSync(output).mtimeMs >= changedAt;

function newest(path: string): number {
  if (!existsSync(path)) return 0;
  const found = statSync(path);
  if (!found.isDirectory()) return found.mtimeMs;
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Math.max(0, ...files.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
}
