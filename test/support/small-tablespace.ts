import { execFile } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

/** A tablespace on a file system of its own that holds so much and no more. */
export interface SmallTablespace {
  name: string;
  enlarge(mebibytes: number): Promise<void>;
  /** Drops it and its file system; what was in it must have been dropped before. */
  remove(): Promise<void>;
}

/** @param sql runs one statement on the sandbox's server, which sees this machine's mounts */
export async function createSmallTablespace(
  sql: (text: string) => Promise<unknown>,
  mebibytes: number,
): Promise<SmallTablespace> {
  const folder = await mkdtemp(join(tmpdir(), 'windlass-small-'));
  const name = basename(folder).replaceAll('-', '_').toLowerCase();
  await run('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'tmpfs', folder);
  const unmount = async (): Promise<void> => {
    // Lazily: a session of the server may have a file of it open for a while yet.
    await run('umount', '--lazy', folder);
    await rmdir(folder);
  };
  try {
    await sql(`CREATE TABLESPACE ${name} LOCATION '${folder}'`);
  } catch (error) {
    await unmount();
    throw error;
  }
  return {
    name,
    enlarge: (to) => run('mount', '-o', `remount,size=${to}m`, folder),
    remove: () => sql(`DROP TABLESPACE ${name}`).then(() => unmount()),
  };
}

async function run(command: string, ...args: string[]): Promise<void> {
  await promisify(execFile)(command, args);
}
