import type { RedisReply, RedisSession } from '../../adapters/redis.ts';
import { name } from '../../contracts/scalars.ts';
import { parseInfo } from '../../domain/redis-info.ts';

/** How an action names a Redis. */
export const redisReference = { redis: name.describe('Redis of the catalog') };

export async function readInfo(session: RedisSession, section: string): Promise<Record<string, string>> {
  return parseInfo(String(await session.send('INFO', section)));
}

/** One setting; undefined when the server does not know it. */
export async function readSetting(session: RedisSession, setting: string): Promise<string | undefined> {
  const [, value] = (await session.send('CONFIG', 'GET', setting)) as RedisReply[];
  return value === undefined ? undefined : String(value);
}
