import { z } from 'zod';
import { name, text } from './scalars.ts';
import { WEEKDAYS, wallTime } from './window.ts';

/** Kinds of procedure that a freeze keeps out. Rollbacks and incidents always pass, and reviews change nothing. */
export const CHANGE_KINDS = ['deployment', 'maintenance'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

const zone = z.string().describe('Time zone of the IANA database, such as America/New_York');

/** Every week, or in one week of each month. */
const recurring = z.strictObject({
  zone,
  days: z.array(z.enum(WEEKDAYS)).min(1).describe('Days on which it begins'),
  week: z.int().min(1).max(4).optional().describe('Only the first, second… such weekday of a month; default: each'),
  from: wallTime,
  until: wallTime.describe('On the same day, or on the next when it is not later than `from`'),
  untilDay: z.enum(WEEKDAYS).optional().describe('Day of the end when it is neither the same nor the next'),
});

const wallDate = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d$/, 'expected a date with a time such as 2026-12-24T18:00')
  .refine((value) => !Number.isNaN(Date.parse(`${value}Z`)), 'expected a date that exists');

const once = z.strictObject({ zone, from: wallDate, until: wallDate });

/** A time in which an environment is not changed, or, with `effect: allow`, the only time in which it is. */
export const freeze = z
  .strictObject({
    reason: text.describe('Shown to whoever is refused'),
    environments: z.array(name).min(1),
    effect: z
      .enum(['deny', 'allow'])
      .default('deny')
      .describe('deny: no change then; allow: no change but then. Where both say something, deny wins'),
    changes: z
      .array(z.enum(CHANGE_KINDS))
      .min(1)
      .default([...CHANGE_KINDS])
      .describe('Kinds of procedure it is about'),
    recurring: recurring.optional(),
    once: once.optional(),
  })
  .refine((it) => (it.recurring === undefined) !== (it.once === undefined), 'expected "recurring" or "once"');

export type CatalogFreeze = z.output<typeof freeze>;

/** A freeze as the calendar reads it, whoever made it. */
export type FreezeRule = Pick<CatalogFreeze, 'reason' | 'effect' | 'changes' | 'recurring' | 'once'> & {
  name: string;
};

/** What freezes say of a moment; times are milliseconds since the epoch, absent beyond the calendar's sight. */
export type FreezeState =
  { state: 'open'; closes?: number; rule?: string } | { state: 'closed'; rule: string; reason: string; opens?: number };
