import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ending } from './report.ts';

export interface ChildOptions {
  cwd: string;
  env?: NodeJS.ProcessEnv;
  /** Ends the child, for example on Ctrl-C; `signal.reason` (a string) is told in the ending. */
  signal?: AbortSignal;
  /** After this time the child is ended. */
  limitSeconds?: number;
  /** `capture` keeps the output for the caller instead of showing it. */
  output?: 'show' | 'capture';
  /** The command leaves processes running on purpose (`sandbox up`). */
  staysUp?: boolean;
}

export interface Ended {
  ending: Ending;
  seconds: number;
  output: string;
  /** Processes that the child started were still there after its end; they have been ended too. */
  leftovers: boolean;
}

/** How long the group may take to obey SIGTERM: enough to take a worker or a local server down. */
const GRACE_SECONDS = 15;

/**
 * Runs a command to its end in a process group of its own, so that it can be ended together with everything it started
 * (and so that Ctrl-C in the terminal reaches only us, who end it in order).
 */
export async function run(command: string, args: string[], options: ChildOptions): Promise<Ended> {
  const started = performance.now();
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    detached: true,
    stdio: options.output === 'capture' ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));

  let stopped: string | undefined;
  const stop = (why: string) => {
    stopped ??= why;
    if (child.pid !== undefined) void endGroup(child.pid);
  };
  const onAbort = () => stop(String(options.signal?.reason));
  options.signal?.addEventListener('abort', onAbort);
  const timer = options.limitSeconds
    ? setTimeout(() => stop(`ended after ${options.limitSeconds} s, its hard limit`), options.limitSeconds * 1000)
    : undefined;
  if (options.signal?.aborted) onAbort();

  const ending = await new Promise<Ending>((resolve) => {
    child.once('error', (error) => resolve({ stopped: `${command} did not start: ${error.message}` }));
    // `exit` rather than `close`: a leftover process that holds the pipes open must not hold us.
    child.once('exit', (code, signal) => resolve(code === null ? { stopped: `ended by ${signal}` } : { code }));
  });
  clearTimeout(timer);
  options.signal?.removeEventListener('abort', onAbort);

  const leftovers = child.pid !== undefined && !options.staysUp && !(await groupGone(child.pid, 2));
  if (leftovers) await endGroup(child.pid);
  const seconds = (performance.now() - started) / 1000;
  return { ending: stopped ? { stopped } : ending, seconds, output, leftovers: leftovers && !stopped };
}

/** Ends a process group: SIGTERM, then SIGKILL for what is still there after the grace period. */
async function endGroup(group: number): Promise<void> {
  signalGroup(group, 'SIGTERM');
  if (!(await groupGone(group, GRACE_SECONDS))) signalGroup(group, 'SIGKILL');
}

async function groupGone(group: number, seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  while (signalGroup(group, 0)) {
    if (performance.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

/** @returns whether the group still had a process to signal */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false; // ESRCH: nobody is left
  }
}
