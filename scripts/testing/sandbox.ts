import { run } from './child.ts';
import type { Outcome } from './report.ts';
import { SANDBOX_DOWN, SANDBOX_UP } from './parts.ts';
import { environment, ROOT } from './tools.ts';

// Through npm, as a user would: the sandbox is a script of its own and not a library of the tests.
const sandbox = (verb: string) => ['run', '--silent', 'sandbox', '--', verb];

/** Whether a sandbox is up: `sandbox status` exits with 0. */
export async function sandboxIsUp(): Promise<boolean> {
  const { ending } = await run('npm', sandbox('status'), { cwd: ROOT, env: environment(), output: 'capture' });
  return 'code' in ending && ending.code === 0;
}

/** Brings the sandbox up, showing its progress. On an empty cache this builds its binaries first. */
export async function sandboxUp(signal?: AbortSignal): Promise<Outcome> {
  return outcome(SANDBOX_UP, await call('up', signal));
}

/** Takes the sandbox down. Not interruptible: it is what an interruption leads to. */
export async function sandboxDown(): Promise<Outcome> {
  return outcome(SANDBOX_DOWN, await call('down'));
}

/**
 * Does something while a sandbox is up: one that is up already, which stays, or our own, which goes down again.
 * @throws Error when the sandbox does not come up
 */
export async function withSandbox<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (await sandboxIsUp()) return work();
  try {
    const up = await sandboxUp(signal);
    if (up.failed > 0) throw new Error(`the sandbox did not come up: ${up.note}`);
    return await work();
  } finally {
    await sandboxDown();
  }
}

function call(verb: 'up' | 'down', signal?: AbortSignal) {
  return run('npm', sandbox(verb), { cwd: ROOT, env: environment(), staysUp: true, ...(signal ? { signal } : {}) });
}

function outcome(step: { name: string; budgetSeconds: number }, { ending, seconds }: Awaited<ReturnType<typeof call>>) {
  const ok = 'code' in ending && ending.code === 0;
  const note = 'stopped' in ending ? ending.stopped : `exited with ${ending.code}`;
  return { ...step, passed: 0, failed: ok ? 0 : 1, skipped: 0, seconds, ...(ok ? {} : { note }) };
}
