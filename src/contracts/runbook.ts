import { z } from 'zod';
import { gate } from './catalog-parts.ts';
import { duration, leaseScope, name, text } from './scalars.ts';

/** A name that expressions can use: `steps.lookAtPods.output.reason`. */
const identifier = z.string().regex(/^[a-z][A-Za-z0-9]{0,62}$/, 'expected camelCase, such as lookAtPods');

/**
 * An expression in CEL (https://cel.dev) over `parameters`, `alert`, `catalog` and `steps`. It is type-checked when the
 * catalog is loaded.
 */
const expression = z.string().min(1).max(1000);

/** Parameters of an action or a runbook. In texts `${…}` holds an expression; a text that is nothing else keeps its type. */
const values = z.record(z.string(), z.json()).default({});

export const actionCall = z.strictObject({ action: z.string().max(64), with: values });

const common = {
  name: identifier.optional().describe('By which later steps name its output'),
  when: expression.optional().describe('The step is skipped unless this is true'),
  undo: z
    .union([z.literal('own'), actionCall])
    .optional()
    .describe('How it is taken back: own (as the action says), or another action'),
  undoWhen: z
    .enum(['failure', 'end'])
    .default('failure')
    .describe('end: it is temporary and is taken back however the runbook ends'),
};

const actionStep = z.strictObject({ ...common, ...actionCall.shape, timeout: duration.optional() });
const gateStep = z.strictObject({ ...common, gate });
const waitStep = z.strictObject({ ...common, wait: duration });
const untilStep = z.strictObject({
  ...common,
  until: z.strictObject({
    ...actionCall.shape,
    is: expression.describe('What must be true of `output`'),
    every: duration.prefault('10s'),
    within: duration.describe('Deadline; after it the step is stuck'),
    holdsFor: duration.prefault('0s').describe('How long it must stay true'),
  }),
});
const runbookStep = z.strictObject({ ...common, runbook: name, with: values });

type Plain =
  | z.output<typeof actionStep>
  | z.output<typeof gateStep>
  | z.output<typeof waitStep>
  | z.output<typeof untilStep>
  | z.output<typeof runbookStep>;

const plain = z.union([actionStep, gateStep, waitStep, untilStep, runbookStep]);
/** Steps side by side; they nest no further. */
const parallelStep = z.strictObject({ ...common, parallel: z.array(plain).min(2).max(20) });

/** One step: exactly one of action, gate, wait, until, parallel, runbook. */
export const step = z.union([actionStep, gateStep, waitStep, untilStep, runbookStep, parallelStep]);

const parameter = z.strictObject({
  type: z.enum(['string', 'int', 'double', 'bool']).default('string'),
  description: text,
  default: z.union([z.string(), z.number(), z.boolean()]).optional().describe('Without one it must be given'),
});

/** Steps without TypeScript, in the order in which they are done. */
export const runbook = z.strictObject({
  description: text,
  /** The lease scopes of what it changes; `service` is the service it is started for. Empty: it only looks. */
  changes: z.array(z.union([z.literal('service'), leaseScope])).default([]),
  parameters: z.record(identifier, parameter).default({}),
  steps: z.array(step).min(1).max(100),
});

export type CatalogRunbook = z.output<typeof runbook>;
export type PlainStep = Plain;
export type ParallelStep = z.output<typeof parallelStep>;
export type RunbookStep = PlainStep | ParallelStep;
export type ActionCall = z.output<typeof actionCall>;
