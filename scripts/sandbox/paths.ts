import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the sandbox's own sources. */
export const sourceDir = fileURLToPath(new URL('.', import.meta.url));

/** Root of the repository. */
export const repositoryDir = resolve(sourceDir, '../..');

/** PATH and the folders of system programs, such as iptables, which root's PATH may lack: `su` leaves them out. */
export function searchPath(): string {
  return [process.env.PATH ?? '', '/usr/local/sbin', '/usr/sbin', '/sbin'].join(delimiter);
}

/** Where built and downloaded binaries stay between runs: `WINDLASS_CACHE`, else the XDG cache folder. */
export function cacheDir(): string {
  return resolve(
    process.env.WINDLASS_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'windlass'),
  );
}

/** Where the sandbox keeps its state: `WINDLASS_STATE`, else the XDG state folder; always in a folder `sandbox`. */
export function stateDir(): string {
  const base =
    process.env.WINDLASS_STATE ?? join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local/state'), 'windlass');
  return resolve(base, 'sandbox');
}

/** A path inside the state folder. */
export function inState(...parts: string[]): string {
  return join(stateDir(), ...parts);
}
