import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SandboxError } from '../errors.ts';
import { searchPath } from '../paths.ts';
import { report, timed } from '../progress.ts';
import { run } from '../run.ts';

/** Full path of a command in PATH or in the folders of system programs. */
export function findInPath(command: string): string | undefined {
  return searchPath()
    .split(delimiter)
    .map((folder) => join(folder, command))
    .find(isExecutable);
}

/**
 * Installs the named packages, after whatever is being installed: the package manager has one lock. None of the services
 * they bring is started.
 * @throws SandboxError naming the packages when this is not Debian's family or not root
 */
export async function ensureDebianPackages(packages: string[]): Promise<void> {
  if (packages.length === 0) return;
  const installed = installing.catch(() => undefined).then(() => installNow(packages));
  installing = installed;
  await installed;
}
let installing: Promise<void> = Promise.resolve();
let updated = false;

async function installNow(packages: string[]): Promise<void> {
  const list = packages.join(' ');
  if (!findInPath('apt-get')) throw new SandboxError(`please install ${list}: apt-get, which would do it, is not here`);
  if (process.getuid?.() !== 0) throw new SandboxError(`please install ${list} (as root: apt-get install ${list})`);
  report(`installing from Debian: ${list}…`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await withoutServiceStarts(() =>
    timed(`installed ${list}`, async () => {
      if (!updated) await run('apt-get', ['update', '-qq'], { env });
      updated = true;
      await run('apt-get', ['install', '-qq', '-y', '--no-install-recommends', ...packages], { env });
    }),
  );
}

/**
 * Packages start their services when installed (containerd, PostgreSQL). A `policy-rc.d` that answers 101 forbids it
 * (https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt); one that is there already is respected.
 */
async function withoutServiceStarts(install: () => Promise<void>): Promise<void> {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return install();
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await install();
  } finally {
    rmSync(policy);
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
