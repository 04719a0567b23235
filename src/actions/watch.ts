import { isFailure } from '../adapters/failure.ts';
import type { ActionContext } from './action.ts';

/**
 * Looks again and again until there is an answer, with a heartbeat each time. A server that is away for a while ends no
 * watch: only the attempt's own timeout does. Cancellation ends it between two looks.
 * @param details kept in the heartbeat for a later attempt
 */
export async function watch<T>(
  { heartbeat, sleep }: Pick<ActionContext, 'heartbeat' | 'sleep'>,
  everyMs: number,
  look: () => Promise<T | undefined>,
  details?: unknown,
): Promise<T> {
  for (;;) {
    heartbeat(details);
    const answer = await look().catch((error: unknown) => {
      if (isFailure(error, 'Unavailable')) return undefined;
      throw error;
    });
    if (answer !== undefined) return answer;
    await sleep(everyMs);
  }
}
