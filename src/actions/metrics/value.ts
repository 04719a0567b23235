import { z } from 'zod';

export const promql = z
  .string()
  .min(1)
  .max(2000)
  .describe('PromQL that gives one value; sum series where there are several');

/** JSON has no infinity; the largest number is over any bound as well. */
export const finite = (value: number): number => Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE);
