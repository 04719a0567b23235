import { z } from 'zod';
import { failure } from '../../adapters/failure.ts';
import { defineAction } from '../action.ts';
import { finite, promql } from './value.ts';

/** At this moment. For a value that must hold for a while there is `until` with `queryMetric`. */
export const assertMetric = defineAction({
  name: 'assertMetric',
  description: 'Fails (ChecksFailed) unless a value is within its bounds now; no value is out of bounds',
  group: 'metrics',
  parameters: z
    .strictObject({
      query: promql,
      min: z.number().optional().describe('The value must not be under it'),
      max: z.number().optional().describe('The value must not be over it'),
    })
    .refine(({ min, max }) => min !== undefined || max !== undefined, 'expected min or max'),
  example: { query: 'sum(up)', min: 1 },
  output: z.object({ value: z.number() }),
  changes: 'nothing',

  async run(context, { query, min, max }) {
    const value = await context.metric(query);
    if (value === undefined) throw failure('ChecksFailed', `${query} has no value`);
    if (min !== undefined && value < min)
      throw failure('ChecksFailed', `${query} is ${value}, expected at least ${min}`);
    if (max !== undefined && value > max)
      throw failure('ChecksFailed', `${query} is ${value}, expected at most ${max}`);
    return { value: finite(value) };
  },
});
