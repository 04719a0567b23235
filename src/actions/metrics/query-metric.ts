import { z } from 'zod';
import { defineAction } from '../action.ts';
import { finite, promql } from './value.ts';

export const queryMetric = defineAction({
  name: 'queryMetric',
  description: 'Reads one value from the Prometheus of the environment; `known` is false when it has none',
  group: 'metrics',
  parameters: z.strictObject({ query: promql }),
  example: { query: 'sum(up)' },
  output: z.object({ known: z.boolean(), value: z.number().optional() }),
  changes: 'nothing',

  async run(context, { query }) {
    const value = await context.metric(query);
    return value === undefined ? { known: false } : { known: true, value: finite(value) };
  },
});
