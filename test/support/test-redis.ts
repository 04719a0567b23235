import { readFileSync } from 'node:fs';
import { createClient } from '@redis/client';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { redis as redisSchema, type CatalogRedis } from '../../src/contracts/redis.ts';

/** The sandbox's Redis, as the catalog would have it. */
export function testRedis(): { catalog: CatalogRedis; env: Record<string, string> } {
  const { host, port, password } = place();
  return {
    catalog: redisSchema.parse({ servers: { local: { host, port, password: 'env:TEST_REDIS_PASSWORD' } } }),
    env: { TEST_REDIS_PASSWORD: password },
  };
}

/** A client of its own. */
export async function connectRedis() {
  const { host, port, password } = place();
  return createClient({ socket: { host, port }, password, RESP: 2 }).connect();
}

function place(): { host: string; port: number; password: string } {
  const { host, port, passwordFile } = readEndpoints().redis;
  return { host, port, password: readFileSync(passwordFile, 'utf8').trim() };
}
