import { z } from 'zod';
import { isFailure } from '../../adapters/failure.ts';
import { url } from '../../contracts/catalog-parts.ts';
import { duration } from '../../contracts/scalars.ts';
import { defineAction } from '../action.ts';
import { judged, orFail, verdict } from '../verdict.ts';

const LONGEST_MS = 30_000;

/** One question; `until` asks again. A redirect is an answer of its own and is not followed. */
export const probeUrl = defineAction({
  name: 'probeUrl',
  description: 'Asks an address over HTTP once, and judges status, time and text of the answer',
  group: 'http',
  parameters: z.strictObject({
    url: url.describe('http or https'),
    status: z.int().min(100).max(599).default(200).describe('Expected status'),
    contains: z.string().min(1).max(500).optional().describe('The first 64 KiB of the answer must have this text'),
    within: duration.prefault('5s').describe('An answer that takes longer counts as none, 30s at most'),
    orFail,
  }),
  example: { url: 'http://127.0.0.1:19090/-/healthy', contains: 'Healthy' },
  output: z.object({ ...verdict, status: z.int(), latencyMs: z.number() }),
  changes: 'nothing',
  timeoutMs: LONGEST_MS + 5_000,

  async run(context, { url, status, contains, within, orFail }) {
    const answer = await context.http({ url, timeoutMs: Math.min(within, LONGEST_MS) }).catch((error: unknown) => {
      if (isFailure(error, 'Unavailable')) return error.message;
      throw error;
    });
    if (typeof answer === 'string') return { ...judged([answer], orFail), status: 0, latencyMs: 0 };
    const faults = [
      ...(answer.status === status ? [] : [`${url} answers HTTP ${answer.status}, expected ${status}`]),
      ...(contains === undefined || answer.text.includes(contains) ? [] : [`${url} does not contain "${contains}"`]),
    ];
    return { ...judged(faults, orFail), status: answer.status, latencyMs: answer.milliseconds };
  },
});
