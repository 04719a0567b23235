import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { redact } from '../secrets.ts';

/** A program under way. */
export interface RunningTool {
  /** What it reads; closed here once another program writes it. */
  stdin: Writable;
  /** What it writes; null when another program reads it. */
  stdout: Readable;
  /** Resolves when it has ended well; rejects with what `failed` made of how it ended. */
  ended: Promise<void>;
}

export interface ProgramOptions {
  args: string[];
  /** All of its environment. */
  env?: NodeJS.ProcessEnv;
  /** Ends it, and whatever it started, when it aborts. */
  signal: AbortSignal;
  /** A program that has been started and reads what this one writes: the bytes do not pass through this process. */
  into?: RunningTool;
  /** Values that no complaint may contain. */
  secrets?: string[];
  /** @param ending `ENOENT` when there is no such program, else how it ended in words */
  failed: (ending: string, complaints: string) => Error;
}

const KEPT_COMPLAINTS = 4_000;

/**
 * Starts a program in a process group of its own. When the worker dies, its pipes break, and the program ends by that.
 * It never throws: a program that cannot be started has failed, as `ended` says.
 */
export function startProgram(program: string, options: ProgramOptions): RunningTool {
  const { args, env = {}, signal, into, secrets = [], failed } = options;
  const child = spawn(program, args, {
    detached: true,
    stdio: ['pipe', into?.stdin ?? 'pipe', 'pipe'],
    // Its complaints are read.
    env: { PATH: process.env['PATH'], LC_ALL: 'C', ...env },
  });
  // Ours would keep the reader waiting when the writer has ended. Closed, not ended: the writer has the same one.
  into?.stdin.destroy();
  let complaints = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-KEPT_COMPLAINTS);
  });
  child.stdin!.on('error', () => undefined); // It ended before it had read everything: its exit says why.
  const kill = () => endGroup(child);
  signal.addEventListener('abort', kill);
  if (signal.aborted) kill();
  const ended = outcomeOf(child)
    .then((ending) => {
      if (ending !== undefined) throw failed(ending, redact(complaints, secrets));
    })
    .finally(() => signal.removeEventListener('abort', kill));
  // Whoever waits for it hears of it; nobody has to.
  ended.catch(() => undefined);
  return { stdin: child.stdin!, stdout: child.stdout!, ended };
}

/** Undefined when it ended well; else how it ended. */
async function outcomeOf(child: ChildProcess): Promise<string | undefined> {
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    return code === 0 ? undefined : code === null ? `was ended by ${signal}` : `exited with ${code}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'ENOENT' : String(error);
  }
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
