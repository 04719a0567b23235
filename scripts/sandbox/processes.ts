import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { SandboxError } from './errors.ts';
import { inState, searchPath, stateDir } from './paths.ts';
import { findProcesses, identify, isAlive, readProc, type ProcessIdentity } from './proc.ts';
import { waitFor } from './wait.ts';

/** Every process of the sandbox, and what it starts in turn, carries this variable: that is how leftovers are found. */
const ownerVariable = 'WINDLASS_SANDBOX_OWNER';

export interface ProcessSpec {
  /** Short name: of the log file, the pid file and the messages. */
  name: string;
  command: string;
  args: string[];
  /** Secrets go here, never into `args`, which any user of the machine can read. */
  env?: Record<string, string>;
  cwd?: string;
}

interface ProcessRecord {
  identity: ProcessIdentity;
  spec: ProcessSpec;
}

export function logFile(name: string): string {
  return inState('logs', `${name}.log`);
}

/** Starts a process in a session of its own, its output in a new log (the last one is kept); it outlives this program. */
export function start(spec: ProcessSpec): ProcessIdentity {
  mkdirSync(inState('logs'), { recursive: true });
  mkdirSync(inState('pids'), { recursive: true });
  if (existsSync(logFile(spec.name))) renameSync(logFile(spec.name), logFile(`${spec.name}.previous`));
  const log = openSync(logFile(spec.name), 'a', 0o600);
  try {
    const child = spawn(spec.command, spec.args, {
      cwd: spec.cwd ?? stateDir(),
      env: { ...process.env, PATH: searchPath(), ...spec.env, [ownerVariable]: stateDir() },
      detached: true,
      stdio: ['ignore', log, log],
    });
    child.on('error', () => undefined); // A missing command leaves no pid: reported below.
    child.unref();
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (!identity) throw new SandboxError(`cannot start ${spec.name} (${spec.command})\n${logTail(spec.name)}`);
    const record: ProcessRecord = { identity, spec };
    // The specification may hold a secret in its environment.
    writeFileSync(recordFile(spec.name), JSON.stringify(record), { mode: 0o600 });
    return identity;
  } finally {
    closeSync(log);
  }
}

/** Starts a process that has ended again, exactly as it was started before. */
export function startAgain(name: string): ProcessIdentity {
  const record = readRecord(name);
  if (!record) throw new SandboxError(`${name} was not started by this sandbox`);
  return start(record.spec);
}

/** The living process started under this name, if any. */
export function running(name: string): ProcessIdentity | undefined {
  const identity = readRecord(name)?.identity;
  return identity && isAlive(identity) ? identity : undefined;
}

/** Names of all processes that were started and not stopped, living or not. */
export function startedNames(): string[] {
  const dir = inState('pids');
  return existsSync(dir) ? readdirSync(dir).map((file) => basename(file, '.json')) : [];
}

/**
 * Waits until `probe` succeeds; fails at once when the process has died.
 * @throws SandboxError with the end of the process's log.
 */
export async function ready(name: string, probe: () => Promise<boolean>, timeoutSeconds = 60): Promise<void> {
  const giveUp = () => {
    if (!running(name)) throw new SandboxError(`${name} ended while starting`);
  };
  try {
    await waitFor(`${name} ready`, probe, { timeoutSeconds, giveUp });
  } catch (error) {
    throw new SandboxError(`${(error as Error).message}\n${logTail(name)}`);
  }
}

/** Asks the process to end and waits until it is gone; kills it when it has not obeyed in time. */
export async function stop(name: string, graceSeconds = 10, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const identity = running(name);
  if (identity) await end([identity], graceSeconds, signal);
  rmSync(recordFile(name), { force: true });
}

/** Ends processes: `signal` first, SIGKILL after the grace; returns when all are gone. */
export async function end(all: ProcessIdentity[], graceSeconds: number, signal: NodeJS.Signals): Promise<void> {
  const gone = async () => all.every((one) => !isAlive(one));
  signalAll(all, signal);
  try {
    await waitFor('the end of processes', gone, { timeoutSeconds: graceSeconds });
  } catch {
    signalAll(all, 'SIGKILL');
    await waitFor('the end of killed processes', gone, { timeoutSeconds: 30 });
  }
}

/** Every living process that the sandbox of this state folder started, directly or not (containers excepted). */
export function ownedProcesses(owner = stateDir()): ProcessIdentity[] {
  return findProcesses((pid) => readProc(pid, 'environ').split('\0').includes(`${ownerVariable}=${owner}`));
}

function signalAll(all: ProcessIdentity[], signal: NodeJS.Signals): void {
  for (const one of all) {
    if (!isAlive(one)) continue;
    try {
      process.kill(one.pid, signal);
    } catch {
      // It ended between the look and the signal.
    }
  }
}

function logTail(name: string): string {
  const file = logFile(name);
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-15) : [];
  return [...lines.map((line) => `  ${line}`), `  whole log: ${file}`].join('\n');
}

function readRecord(name: string): ProcessRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordFile(name), 'utf8')) as ProcessRecord;
  } catch {
    return undefined; // Never started, or the file was cut short by a crash.
  }
}

function recordFile(name: string): string {
  return join(inState('pids'), `${name}.json`);
}
