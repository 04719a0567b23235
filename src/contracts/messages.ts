import { z } from 'zod';
import { person, text } from './scalars.ts';

/** Signals `hold`, `resume`, `abort`, `keepColor`: who says it and why. */
export const orderSchema = z.strictObject({ by: person, reason: text.optional() });
export type Order = z.infer<typeof orderSchema>;

export const RESCUE_VERBS = ['retry', 'skip', 'done', 'give-up'] as const;

/** Update and Signal `rescue`: what to do with a step that is stuck. */
export const rescueSchema = z.strictObject({
  verb: z
    .enum(RESCUE_VERBS)
    .describe(
      'retry: once more; skip: leave it undone; done: it was done by hand and is checked; give-up: end, target left dirty',
    ),
  by: person,
  reason: text,
  step: z.string().max(300).optional().describe('Which one, when several are stuck: its name as shown'),
});
export type Rescue = z.infer<typeof rescueSchema>;

/** The typed answer to an order or a rescue. */
export interface OrderResult {
  accepted: boolean;
  message: string;
}
