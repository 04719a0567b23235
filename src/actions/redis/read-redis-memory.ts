import { z } from 'zod';
import { defineAction } from '../action.ts';
import { readInfo, redisReference } from './server.ts';

/** `maxBytes` 0: no limit, and then `usedPercent` is 0. */
export const readRedisMemory = defineAction({
  name: 'readRedisMemory',
  description: 'Reads what a Redis uses of memory, its limit, what it evicts at the limit, and fragmentation',
  group: 'redis',
  parameters: z.strictObject(redisReference),
  example: { redis: 'cache' },
  output: z.object({
    usedBytes: z.number(),
    maxBytes: z.number(),
    usedPercent: z.number(),
    policy: z.string(),
    fragmentation: z.number(),
    evictedKeys: z.number(),
  }),
  changes: 'nothing',

  async run(context, { redis }) {
    const session = await context.redis(redis);
    const [memory, stats] = [await readInfo(session, 'memory'), await readInfo(session, 'stats')];
    const number = (text: string | undefined): number => Number(text ?? 0);
    const [usedBytes, maxBytes] = [number(memory.used_memory), number(memory.maxmemory)];
    return {
      usedBytes,
      maxBytes,
      usedPercent: maxBytes === 0 ? 0 : Math.round((1000 * usedBytes) / maxBytes) / 10,
      policy: memory.maxmemory_policy ?? '',
      fragmentation: number(memory.mem_fragmentation_ratio),
      evictedKeys: number(stats.evicted_keys),
    };
  },
});
