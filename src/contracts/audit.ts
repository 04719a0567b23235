import { z } from 'zod';
import { name } from './scalars.ts';

/** SHA-256, hexadecimal. */
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in hexadecimal');

/**
 * What a record tells.
 * - `started`, `ended`: of the run; an end is also a termination, a timeout, a cancellation.
 * - `decision`: a person approved or rejected; also without effect.
 * - `order`: a person held, aborted, rescued, repaired, acknowledged…
 * - `lease`: a right to change something was asked for, granted, refused or given up.
 * - `effect`: an activity that changes something was scheduled, and how it ended.
 * - `message`: any other Signal or Update; `child`: another workflow was started; `reset`: an operator reset the run.
 */
export const AUDIT_KINDS = [
  'started',
  'decision',
  'order',
  'lease',
  'effect',
  'message',
  'child',
  'cancel-requested',
  'reset',
  'ended',
] as const;
export type AuditKind = (typeof AUDIT_KINDS)[number];

/** Who did it. `declared`: as that one said, unproved; `server`: Temporal itself. */
const who = z.strictObject({ name: z.string(), how: z.enum(['declared', 'server']) });

/** What one event of a history tells, before it has its place in the chain. */
export const auditFact = z.strictObject({
  /** ISO 8601 in UTC, the time of the event as the server has it. */
  at: z.string(),
  procedure: z.string(),
  workflowId: z.string(),
  /** Origin: run and event. No two records have the same. */
  runId: z.string(),
  eventId: z.int().min(1),
  kind: z.enum(AUDIT_KINDS),
  /** What was done, in words: `decide`, `switchTraffic`. */
  what: z.string(),
  who,
  /** Where it came from: the client's identity, `schedule:<id>` or `workflow:<id>`. */
  source: z.string().optional(),
  /** What it is about in the environment: a service, `database/<name>`, `runbook/<name>`, `window/<name>`. */
  target: z.string().optional(),
  outcome: z.string(),
  /** Those fields of the payload that contracts define as names, references or reasons. */
  labels: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  /** SHA-256 of the whole payload as canonical JSON (RFC 8785). */
  inputs: sha256.optional(),
  evidence: z.array(z.strictObject({ uri: z.string(), sha256 })).optional(),
  /** The run from which a reset copied this event. */
  copyOf: z.string().optional(),
});
export type AuditFact = z.output<typeof auditFact>;

/** A chain has one writer at a time, a sequence from 1 without a gap, and a hash of each record in the next one. */
const chain = { system: name, environment: name };
export interface AuditChain {
  system: string;
  environment: string;
}

/** A line of a segment. `hash` is that of the canonical JSON of all other fields. */
export const auditRecord = auditFact.extend({
  v: z.literal(1),
  ...chain,
  sequence: z.int().min(1),
  prev: sha256,
  hash: sha256,
});
export type AuditRecord = z.output<typeof auditRecord>;

const span = { ...chain, v: z.literal(1), segment: z.int().min(1), first: z.int().min(1), last: z.int().min(1) };

/** The last line of a segment: what it must hold. */
export const segmentFoot = z.strictObject({ ...span, prev: sha256, head: sha256 });
export type SegmentFoot = z.output<typeof segmentFoot>;

/** Kept apart from the segment, under retention where the store has it. */
export const auditAnchor = z.strictObject({
  ...span,
  head: sha256,
  /** Of the bytes of the segment. */
  sha256,
  /** Of the bytes of the anchor before; absent in the first. */
  previous: sha256.optional(),
});
export type AuditAnchor = z.output<typeof auditAnchor>;

/** A chain for runs whose system or environment is not told: an input that was refused, for example. */
export const UNKNOWN_PLACE = 'unknown';
