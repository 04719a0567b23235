import { z } from 'zod';
import { name } from './scalars.ts';

const limit = z.object({ below: z.number(), returnsAt: z.number() });

/** What was measured of one objective, in percent of its budget, and the limits that it is judged by. */
const sloReport = z.object({
  name,
  /** Absent when it could not be measured: then `fault` says why. */
  remaining: z.number().optional(),
  burnRate: z.number().optional(),
  fault: z.string().max(500).optional(),
  limits: z.object({ yellow: limit, red: limit, holdMs: z.number().min(0) }),
});
export type SloReport = z.infer<typeof sloReport>;

const base = {
  /** A repeated message with the same id gets the same answer. */
  requestId: z.string().min(1).max(200),
  /** When it was measured, in Unix milliseconds: an older measurement does not undo a newer one. */
  at: z.number().int().min(0),
};

/** What people were told of the zone. */
const told = z.object({
  zone: z.enum(['green', 'unknown', 'yellow', 'red']),
  since: z.number(),
  channels: z.array(name),
  /** They were told that it is not measured any more. */
  stale: z.boolean().optional(),
  /** They were told that the workflow at GitHub could not be changed. */
  workflowFault: z.boolean().optional(),
});
export type Told = z.infer<typeof told>;

/** What is known of a workflow at GitHub. */
const workflowMemory = z.object({
  /** `owner/repository/deploy.yml`. */
  of: z.string().max(300),
  /**
   * disabling: we are about to disable it; disabled: we did; found-disabled: somebody else had; left-enabled: somebody
   * enabled again what we had disabled.
   */
  state: z.enum(['disabling', 'disabled', 'found-disabled', 'left-enabled']),
});
export type WorkflowMemory = z.infer<typeof workflowMemory>;

/** Update `budget` of change control: a measurement, or what followed from it. */
export const budgetMessageSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('measured'),
    ...base,
    staleAfterMs: z.number().min(0),
    critical: z.object({ services: z.array(name), onRequest: z.boolean() }),
    slos: z.array(sloReport).min(1).max(50),
  }),
  z.object({
    kind: z.literal('settled'),
    ...base,
    told: told.optional(),
    /** null: nothing of it need be remembered. */
    workflow: workflowMemory.nullable().optional(),
  }),
]);
export type BudgetMessage = z.infer<typeof budgetMessageSchema>;
