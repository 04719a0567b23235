import { z } from 'zod';
import { isFailure } from '../../adapters/failure.ts';
import { defineAction } from '../action.ts';
import { judged, orFail, verdict } from '../verdict.ts';
import { readInfo, redisReference } from './server.ts';

/** One that does not answer is a fault, not an error of the step. */
export const pingRedis = defineAction({
  name: 'pingRedis',
  description: 'Logs in to a Redis, sends PING, and reads version and role',
  group: 'redis',
  parameters: z.strictObject({ ...redisReference, orFail }),
  example: { redis: 'cache' },
  output: z.object({ ...verdict, latencyMs: z.number(), version: z.string(), role: z.string() }),
  changes: 'nothing',

  async run(context, { redis, orFail }) {
    try {
      const session = await context.redis(redis);
      const asked = context.now();
      const answer = await session.send('PING');
      const latencyMs = context.now() - asked;
      const faults = answer === 'PONG' ? [] : [`${redis} answers PING with ${JSON.stringify(answer)}`];
      const [server, replication] = [await readInfo(session, 'server'), await readInfo(session, 'replication')];
      const { redis_version: version = '' } = server;
      return { ...judged(faults, orFail), latencyMs, version, role: replication.role ?? '' };
    } catch (error) {
      if (!isFailure(error, 'Unavailable')) throw error;
      return { ...judged([error.message], orFail), latencyMs: 0, version: '', role: '' };
    }
  },
});
