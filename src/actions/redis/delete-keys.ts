import { z } from 'zod';
import type { RedisSession } from '../../adapters/redis.ts';
import { globOfPrefix } from '../../domain/redis-info.ts';
import { defineAction } from '../action.ts';
import { redisReference } from './server.ts';

/** So many slots of the table are looked at per SCAN: a fraction of a millisecond, in which nobody else is served. */
const COUNT = '500';

/**
 * Convergent: a key that is gone stays gone. SCAN and UNLINK, never KEYS and DEL, so that others are served meanwhile.
 * The heartbeat holds the cursor, so that an attempt after one that died goes on there, and then looks once more from
 * the start: a cursor means nothing to a server that was started anew.
 */
export const deleteKeys = defineAction({
  name: 'deleteKeys',
  description: 'Deletes all keys of a Redis that begin with a prefix, in batches',
  group: 'redis',
  parameters: z.strictObject({
    ...redisReference,
    prefix: z.string().min(1).max(500).describe('Taken as it is, not as a pattern: session:'),
  }),
  example: { redis: 'cache', prefix: 'windlass-example:' },
  output: z.object({ deleted: z.int() }),
  changes: 'convergent',
  timeoutMs: 3_600_000,

  async plan(context, { redis, prefix }) {
    const session = await context.redis(redis);
    let count = 0;
    await scan(session, prefix, '0', async (keys) => {
      count += keys.length;
      context.heartbeat();
    });
    return { lines: count === 0 ? [] : [`${count} keys of ${redis} that begin with ${prefix} are deleted`] };
  },

  async run(context, { redis, prefix }) {
    const session = await context.redis(redis);
    const former = context.former as { cursor?: string; deleted?: number } | undefined;
    let deleted = former?.deleted ?? 0;
    await context.assertFence();
    const unlink = async (keys: string[], cursor: string): Promise<void> => {
      if (keys.length > 0) deleted += Number(await session.send('UNLINK', ...keys));
      context.heartbeat({ cursor, deleted });
    };
    if (former?.cursor) await scan(session, prefix, former.cursor, unlink);
    await scan(session, prefix, '0', unlink);
    return { deleted };
  },
});

/** Every key with the prefix, some perhaps twice, from a cursor to the end. @param found gets the next cursor too */
async function scan(
  session: RedisSession,
  prefix: string,
  from: string,
  found: (keys: string[], next: string) => Promise<void>,
): Promise<void> {
  let cursor = from;
  do {
    const reply = await session.send('SCAN', cursor, 'MATCH', globOfPrefix(prefix), 'COUNT', COUNT);
    const [next, keys] = reply as [string, string[]];
    await found(keys, next);
    cursor = next;
  } while (cursor !== '0');
}
