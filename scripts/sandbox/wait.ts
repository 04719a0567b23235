import { setTimeout as delay } from 'node:timers/promises';
import { SandboxError } from './errors.ts';

export interface WaitOptions {
  timeoutSeconds: number;
  /** Pause between two looks; default: a twentieth of the time waited so far, at least 50 ms and at most 300 ms. */
  everyMs?: number;
  /** Called before each look; throws when waiting has become pointless (for example, the process died). */
  giveUp?: () => void;
}

/**
 * Looks again and again until `probe` answers something other than false, undefined or an error.
 * @throws SandboxError naming what was awaited and the last error seen.
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | false | undefined>,
  options: WaitOptions,
): Promise<T> {
  const began = performance.now();
  const deadline = began + options.timeoutSeconds * 1000;
  let last = '';
  for (;;) {
    options.giveUp?.();
    try {
      const result = await probe();
      if (result !== false && result !== undefined) return result;
    } catch (error) {
      last = `; last error: ${error instanceof Error ? error.message : String(error)}`;
    }
    const now = performance.now();
    if (now > deadline) throw new SandboxError(`${what} not reached in ${options.timeoutSeconds} s${last}`);
    await delay(options.everyMs ?? Math.min(300, Math.max(50, (now - began) / 20)));
  }
}
