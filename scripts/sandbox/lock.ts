import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SandboxError } from './errors.ts';
import { inState, stateDir } from './paths.ts';
import { identify, isAlive, type ProcessIdentity } from './proc.ts';
import { report } from './progress.ts';
import { waitFor } from './wait.ts';

interface Claim {
  stateDir: string;
  /** Of the running kernel: a claim of before a reboot means nothing. */
  bootId: string;
}

/** Ports and interfaces are fixed, so a machine carries one sandbox; this file says whose it is. */
const claimFile = () => join(tmpdir(), 'windlass-sandbox.claim.json');

/**
 * Takes the machine for the sandbox of this state folder.
 * @throws SandboxError when the sandbox of another state folder has it
 */
export function claimMachine(): void {
  refuseForeignClaim();
  const claim: Claim = { stateDir: stateDir(), bootId: bootId() };
  try {
    writeFileSync(claimFile(), JSON.stringify(claim), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    refuseForeignClaim();
    writeFileSync(claimFile(), JSON.stringify(claim));
  }
}

export function refuseForeignClaim(): void {
  const holder = readJson<Claim>(claimFile());
  if (!holder || holder.bootId !== bootId() || holder.stateDir === stateDir()) return;
  const base = join(holder.stateDir, '..');
  throw new SandboxError(
    `another sandbox has this machine: ${holder.stateDir}\n` +
      `  (its ports and interfaces are taken; end it by: WINDLASS_STATE=${base} npm run sandbox -- down)`,
  );
}

/** Gives the machine back. */
export function releaseClaim(): void {
  if (readJson<Claim>(claimFile())?.stateDir === stateDir()) rmSync(claimFile());
}

/** Runs `work` while no other command changes this sandbox; waits for one that does. */
export async function exclusively<T>(work: () => Promise<T>): Promise<T> {
  mkdirSync(stateDir(), { recursive: true, mode: 0o700 });
  const file = inState('lock');
  let told = false;
  await waitFor(
    'the end of the other command',
    async () => {
      const holder = readJson<ProcessIdentity>(file);
      if (holder && isAlive(holder)) {
        if (!told) report(`another command is at work on this sandbox (process ${holder.pid}): waiting for it…`);
        told = true;
        return false;
      }
      return takeLock(file, holder !== undefined);
    },
    { timeoutSeconds: 1800 },
  );
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function takeLock(file: string, stale: boolean): boolean {
  if (stale) rmSync(file, { force: true });
  try {
    writeFileSync(file, JSON.stringify(identify(process.pid)), { flag: 'wx' });
    return true;
  } catch {
    return false; // Another command was faster.
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'no boot id'; // Not Linux: the claim then lasts until it is released.
  }
}

function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
