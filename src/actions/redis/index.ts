import type { Action } from '../action.ts';
import { deleteKeys } from './delete-keys.ts';
import { pingRedis } from './ping-redis.ts';
import { readRedisMemory } from './read-redis-memory.ts';
import { setRedisPolicy } from './set-redis-policy.ts';

export const REDIS_ACTIONS = [pingRedis, readRedisMemory, deleteKeys, setRedisPolicy] as Action[];
