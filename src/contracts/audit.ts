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

/**
 * Who did it. `declared`: as that one said, unproved; `verified`: by a statement that the worker verified; `server`:
 * Temporal itself.
 */
const who = z.strictObject({ name: z.string(), how: z.enum(['declared', 'verified', 'server']) });

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

const run = z.strictObject({ workflowId: z.string().min(1).max(1000), runId: z.string().min(1).max(64) });
export type AuditRun = z.output<typeof run>;

/** Runs of one round: their histories bound that of `exportAudit`. */
export const RUNS_PER_EXPORT = 200;

/** Input of `exportAudit`, the one writer of a chain: its workflow id is `audit/<system>/<environment>`. */
export const exportAuditInput = z.strictObject({ ...chain, runs: z.array(run).max(RUNS_PER_EXPORT) });
export type ExportAuditInput = z.output<typeof exportAuditInput>;
export interface ExportAuditResult {
  /** Runs that were added, runs that were there already, and runs whose history the server has no more. */
  exported: number;
  already: number;
  gone: number;
  records: number;
  /** Segments that were written to the object store with their anchors. */
  sealed: number;
}
export const exportAuditId = ({ system, environment }: AuditChain): string => `audit/${system}/${environment}`;

/** Input of `reconcileAudit`: nothing for all that ended since the last time, a place for all of it that ever ended. */
export const reconcileAuditInput = z.strictObject({
  system: name.optional(),
  environment: name.optional(),
  full: z.boolean().default(false).describe('Look at everything the server still keeps'),
  /** Carried from run to run. */
  soFar: z
    .strictObject({
      exported: z.int(),
      records: z.int(),
      sealed: z.int(),
      failed: z.array(z.string().max(2000)).max(50),
    })
    .optional(),
});
export type ReconcileAuditInput = z.output<typeof reconcileAuditInput>;
export interface ReconcileAuditResult {
  exported: number;
  records: number;
  sealed: number;
}

const text = z.string().min(1).max(300);
/** What `windlass audit search` looks for; every condition given must hold. Times are ISO 8601. */
export const auditQuery = z.strictObject({
  who: text.optional(),
  procedure: text.optional(),
  system: text.optional(),
  environment: text.optional(),
  target: text.optional(),
  outcome: text.optional(),
  kind: z.enum(AUDIT_KINDS).optional(),
  /** Workflow id or run id. */
  id: z.string().min(1).max(1000).optional(),
  /** Words, the beginning of each is enough. */
  text: text.optional(),
  since: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
  limit: z.int().min(1).max(1000).default(50),
  order: z.enum(['newest', 'chain']).default('newest'),
});
export type AuditQuery = z.output<typeof auditQuery>;

/** An object of the audit in the store. */
export interface AuditObject {
  /** Below the audit's prefix; the same as in an export. */
  file: string;
  key: string;
  version?: string;
}

/** Of the audit only: the worker that reads it may read the rest of the bucket too. */
const object = z
  .strictObject({
    file: z.string().regex(/^[a-z0-9-]+\/[a-z0-9-]+\/(segments\/\d{8,}\.jsonl|anchors\/\d{8,}\.json)$/),
    key: z.string().max(1000),
    version: z.string().max(200).optional(),
  })
  .refine(({ file, key }) => key === file || key.endsWith(`/${file}`), 'expected the key of a file of the audit');

/** Input of `readAudit`: search, list the sealed objects after a place, or read some of them. */
export const readAuditInput = z.discriminatedUnion('ask', [
  z.strictObject({ ask: z.literal('search'), query: auditQuery }),
  z.strictObject({
    ...{ ask: z.literal('list'), system: name.optional(), environment: name.optional() },
    after: z.strictObject({ ...chain, segment: z.int() }).optional(),
  }),
  z.strictObject({
    ask: z.literal('read'),
    objects: z.array(object).min(1).max(500),
    offset: z.int().min(0).default(0),
  }),
]);
export type ReadAuditInput = z.output<typeof readAuditInput>;

export interface AuditListing {
  objects: AuditObject[];
  /** Where to go on; absent at the end. */
  next?: AuditChain & { segment: number };
}
/** Texts of as many objects as fit into an answer; of the last one perhaps only a part, from `offset` characters on. */
export interface AuditTexts {
  texts: { file: string; text: string }[];
  /** The object to go on with, and from which character on. */
  next?: { index: number; offset: number };
}
