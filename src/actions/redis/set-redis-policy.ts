import { z } from 'zod';
import { failure } from '../../adapters/failure.ts';
import type { RedisSession } from '../../adapters/redis.ts';
import { defineAction, type ActionPlan } from '../action.ts';
import { readSetting, redisReference } from './server.ts';

const POLICIES = [
  'noeviction',
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
  'volatile-lru',
  'volatile-lfu',
  'volatile-random',
  'volatile-ttl',
] as const;

const SETTINGS = { maxBytes: 'maxmemory', policy: 'maxmemory-policy' } as const;

/**
 * Convergent: both settings are read before they are set, in one command, so there is no state between them. It holds
 * until the server starts anew: its configuration file says what comes then.
 */
export const setRedisPolicy = defineAction({
  name: 'setRedisPolicy',
  description: 'Sets the memory limit of a Redis, and what it evicts there, until its next start',
  group: 'redis',
  parameters: z
    .strictObject({
      ...redisReference,
      maxBytes: z.int().min(0).optional().describe('Memory limit in bytes; 0: none'),
      policy: z.enum(POLICIES).optional().describe('What is evicted at the limit'),
    })
    .refine(({ maxBytes, policy }) => maxBytes !== undefined || policy !== undefined, 'expected maxBytes or policy'),
  example: { redis: 'cache', policy: 'allkeys-lru' },
  output: z.object({ changed: z.boolean(), changes: z.array(z.string()) }),
  changes: 'convergent',

  async plan(context, parameters) {
    const { lines, undo } = await compare(await context.redis(parameters.redis), parameters);
    return { lines, ...(undo ? { undo } : {}) };
  },

  async run(context, parameters) {
    const session = await context.redis(parameters.redis);
    const { lines, settings } = await compare(session, parameters);
    if (lines.length === 0) return { changed: false, changes: [] };
    await context.assertFence();
    await session.send('CONFIG', 'SET', ...settings);
    return { changed: true, changes: lines };
  },
});

interface Wanted {
  redis: string;
  maxBytes?: number | undefined;
  policy?: (typeof POLICIES)[number] | undefined;
}

async function compare(session: RedisSession, wanted: Wanted): Promise<ActionPlan & { settings: string[] }> {
  const lines: string[] = [];
  const settings: string[] = [];
  const former: Record<string, string | number> = {};
  for (const field of ['maxBytes', 'policy'] as const) {
    const value = wanted[field];
    if (value === undefined) continue;
    const setting = SETTINGS[field];
    const now = await readSetting(session, setting);
    if (now === undefined)
      throw failure('Refused', `${wanted.redis} does not tell its ${setting}: CONFIG is closed there.`);
    if (now === String(value)) continue;
    lines.push(`${wanted.redis}: ${setting} ${now} → ${value}`);
    settings.push(setting, String(value));
    former[field] = field === 'maxBytes' ? Number(now) : now;
  }
  if (lines.length === 0) return { lines, settings };
  return { lines, settings, undo: { action: 'setRedisPolicy', with: { redis: wanted.redis, ...former } } };
}
