import { setTimeout as delay } from 'node:timers/promises';
import { SandboxError } from './errors.ts';

export interface WaitOptions {
  timeoutSeconds: number;
  /** Pause between two looks; default 100 ms. */
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
  const deadline = performance.now() + options.timeoutSeconds * 1000;
  let last = '';
  for (;;) {
    options.giveUp?.();
    try {
      const result = await probe();
      if (result !== false && result !== undefined) return result;
    } catch (error) {
      last = `; last error: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (performance.now() > deadline)
      throw new SandboxError(`${what} not reached in ${options.timeoutSeconds} s${last}`);
    await delay(options.everyMs ?? 100);
  }
}
