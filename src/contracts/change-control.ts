import { z } from 'zod';
import { LONGEST_MUTATION_MS, PRIORITY, STAND_DOWN_GRACE_MS } from '../domain/lease/rules.ts';
import type { BudgetState } from '../domain/budget/state.ts';
import type { Contract } from './contract.ts';
import { CHANGE_KINDS, type ChangeKind } from './freeze.ts';
import { leaseScope, name, person, place, text } from './scalars.ts';

export { LONGEST_MUTATION_MS, PRIORITY, STAND_DOWN_GRACE_MS };
export type Priority = keyof typeof PRIORITY;

export const changeControlInput = z.strictObject(place);
export type ChangeControlInput = z.infer<typeof changeControlInput>;

/** The workflow id of the one change control of an environment. */
export const changeControlId = (at: ChangeControlInput): string => `change-control/${at.system}/${at.environment}`;

export const changeControl: Contract<typeof changeControlInput> = {
  procedure: 'changeControl',
  description:
    'Knows who may change an environment: leases, reservations and the queue. The first procedure starts it.',
  input: changeControlInput,
  example: { system: 'sandbox', environment: 'local' },
  workflowId: changeControlId,
};

const workflowId = z.string().min(1).max(1000);
const line = z.string().max(500);

/** A holder is a workflow id and its first run id: ids alone are labels that people and Schedules reuse. */
export const holderSchema = z.object({
  workflowId,
  firstRunId: z.string().min(1).max(64),
  procedure: line,
  requestedBy: line,
  /** One line for people: `shop v3 to production`. */
  summary: line,
});
export type Holder = z.infer<typeof holderSchema>;

/** Update `acquire`. */
export const acquireRequestSchema = z.object({
  /** Unique per holder and request: a repeated Update with the same id gets the same answer. */
  requestId: z.string().min(1).max(200),
  holder: holderSchema,
  scope: leaseScope,
  /** More scopes of the same change: all of them or none, under one fencing token. */
  also: z.array(leaseScope).max(50).optional(),
  priority: z.enum(Object.keys(PRIORITY) as [Priority, ...Priority[]]),
  /** A reservation is visible and keeps other deployments out while a gate waits; it carries no fencing token. */
  mode: z.enum(['reserve', 'hold']),
  onBusy: z.enum(['refuse', 'queue']),
  /** Unix milliseconds. Past this end the holder is told, and the lease is shown as overdue; it is still the holder's. */
  until: z.number().optional(),
  /** Rollbacks and incidents: ask a holder of lower priority to stand down, and take the lease after the grace time. */
  preempt: z.boolean(),
});
export type AcquireRequest = z.infer<typeof acquireRequestSchema>;

/** Told with a grant that took over from another: a holder that stood down, was displaced or died. */
export interface TakenFrom {
  holder: Holder;
  how: 'stood-down' | 'displaced' | 'dirty';
}

/** `sequence`: number of this record in the environment's change control; a gap proves a deleted record. */
export type AcquireReply =
  | { status: 'granted'; token: number; sequence: number; takenFrom?: TakenFrom }
  | { status: 'reserved'; sequence: number }
  | { status: 'queued'; position: number; behind: Holder }
  | { status: 'refused'; code: 'busy' | 'dirty'; message: string; sequence: number; holder?: Holder };

/** Signal `leaseGranted` to a holder that was queued. A reservation has no token. */
export const leaseGrantSchema = z.object({
  requestId: z.string(),
  scope: z.string(),
  also: z.array(z.string()).optional(),
  token: z.number().optional(),
  sequence: z.number(),
  takenFrom: z.object({ holder: holderSchema, how: z.enum(['stood-down', 'displaced', 'dirty']) }).optional(),
});
export type LeaseGrant = z.infer<typeof leaseGrantSchema>;

/** Signal `standDown` to the holder: stop changing things and release within the grace time, or be displaced. */
export const standDownSchema = z.object({ scope: z.string(), by: holderSchema, graceMs: z.number() });
export type StandDown = z.infer<typeof standDownSchema>;

/** Signal `leaseOverdue` to the holder: the end that it named has come, and it still holds the lease. */
export const leaseOverdueSchema = z.object({ scope: z.string(), until: z.number() });
export type LeaseOverdue = z.infer<typeof leaseOverdueSchema>;

/**
 * Signal `release` to change control.
 * - `clean`: the target is as the holder's result says.
 * - `handed-over`: the holder stopped midway because it was told to stand down; whoever asked for that takes over, and
 *   when that one has gone the lease is dirty.
 * - `dirty`: the holder gave up and left the target in an unknown state.
 */
export const leaseReleaseSchema = z.object({
  scope: leaseScope,
  holder: z.object({ workflowId, firstRunId: z.string().min(1).max(64) }),
  state: z.enum(['clean', 'handed-over', 'dirty']),
});
export type LeaseRelease = z.infer<typeof leaseReleaseSchema>;

/** Update and Signal `repair`: a person has checked the target of a dirty lease and says that it is well. */
export const repairSchema = z.strictObject({
  scope: leaseScope.describe('What the lease covers: a service, or database/<name>'),
  by: person,
  reason: text.describe('What was checked or done by hand'),
});
export type Repair = z.infer<typeof repairSchema>;

/** A freeze that a person started; times are Unix milliseconds. */
export interface StartedFreeze {
  name: string;
  reason: string;
  by: string;
  changes: ChangeKind[];
  from: number;
  until: number;
}

/** Update and Signal `startFreeze`: from now on. One of the same name takes its place: it is prolonged or shortened. */
export const startFreezeSchema = z.strictObject({
  name: name.default('by-hand'),
  until: z.iso
    .datetime({ offset: true, error: 'expected an end with time and zone, such as 2026-12-27T08:00:00Z' })
    .describe('Mandatory: a freeze that nobody ends must end'),
  reason: text,
  by: person,
  changes: z
    .array(z.enum(CHANGE_KINDS))
    .min(1)
    .default([...CHANGE_KINDS]),
});
export type StartFreeze = z.input<typeof startFreezeSchema>;

/** Update and Signal `endFreeze`. */
export const endFreezeSchema = z.strictObject({ name: name.default('by-hand'), by: person, reason: text.optional() });
export type EndFreeze = z.input<typeof endFreezeSchema>;

export interface LeaseView {
  scope: string;
  mode: 'reserve' | 'hold';
  holder: Holder;
  priority: Priority;
  token?: number;
  /** ISO 8601. */
  since: string;
  /** The end that the holder named (ISO 8601); `overdue` when it is past. */
  until?: string;
  overdue?: true;
  /** Set when the holder ended without releasing; only a rollback, an incident or a repair may take it. */
  dirty?: { since: string; reason: string };
  /** Set when the holder was asked to stand down: by whom, and when it is displaced (ISO 8601). */
  standDown?: { by: Holder; until: string };
}

/** Query `state`. */
export interface ChangeControlState {
  system: string;
  environment: string;
  leases: LeaseView[];
  /** In the order in which they are served. */
  queue: {
    scope: string;
    also?: string[];
    mode: 'reserve' | 'hold';
    holder: Holder;
    priority: Priority;
    since: string;
  }[];
  /** Absent when no error budget was measured; its times are Unix milliseconds. */
  budget?: BudgetState;
  /** Started by people and not over; absent in answers of older workers. Those of the catalog are not here. */
  freezes?: StartedFreeze[];
  lastToken: number;
  /** Rises by one with every grant, release, refusal, death, repair and freeze: a gap proves a deleted record. */
  sequence: number;
  /** Signals that were not understood and had no effect. */
  ignored: number;
}
