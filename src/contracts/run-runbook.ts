import { z } from 'zod';
import type { EnvironmentSlice, ServiceSlice } from './catalog.ts';
import type { CatalogDatabase } from './database.ts';
import type { ExpressionType } from './expression-type.ts';
import { PRIORITY } from '../domain/lease/rules.ts';
import type { Parameters } from '../domain/runbook/parameters.ts';
import type { Priority } from './change-control.ts';
import type { Contract } from './contract.ts';
import type { Plan } from './plan.ts';
import type { CatalogRunbook } from './runbook.ts';
import type { CatalogRedis } from './redis.ts';
import { leaseScope, name, person, place, text } from './scalars.ts';

const input = z.strictObject({
  ...place,
  runbook: name.describe('Runbook of that system'),
  service: name.optional().describe('The service it is for; needed when the runbook changes one'),
  parameters: z
    .record(z.string().max(64), z.union([z.string().max(2000), z.number(), z.boolean()]))
    .default({})
    .describe('As the runbook declares them'),
  alert: z
    .strictObject({ labels: z.record(z.string(), z.string()), annotations: z.record(z.string(), z.string()) })
    .optional()
    .describe('The alert that started it; expressions see it'),
  severity: z.string().max(20).optional().describe('Of the incident that it is for; expressions see it'),
  requestedBy: person,
  reason: text.optional(),
  planOnly: z.boolean().default(false).describe('Show the plan and touch nothing'),
  onBusy: z.enum(['refuse', 'queue']).default('refuse').describe('When another procedure holds what it changes'),
  priority: z.enum(Object.keys(PRIORITY) as [Priority, ...Priority[]]).default('maintenance'),
  onFailure: z
    .enum(['ask', 'fail'])
    .default('ask')
    .describe('A step that fails asks a person; or the run takes everything back and fails, asking nobody'),
  under: z
    .strictObject({ tokens: z.record(leaseScope, z.int()) })
    .optional()
    .describe('Set by a procedure that runs it under its own leases: their fencing tokens, by scope'),
});

export type RunRunbookInput = z.output<typeof input>;

/** What the workflow must know of an action: how its activity is called, and what its output is to expressions. */
export interface ActionFacts {
  /** Whether it has an effect, and so must not be let go midway. */
  changes: boolean;
  /** Whether the effect is on what leases cover. */
  needsLease: boolean;
  /** Doing it twice ends as doing it once: its plan is empty when it is done. */
  convergent: boolean;
  /** Of one attempt; default 10 s. */
  timeoutMs?: number;
  /** Of those that the runbook names. */
  output?: ExpressionType;
}

/** What a run needs of the catalog, with its parameters filled in. */
export interface RunbookSlice extends EnvironmentSlice {
  service?: Pick<ServiceSlice, 'service' | 'spec'>;
  runbook: string;
  /** It and all that it calls, by name. */
  runbooks: Record<string, CatalogRunbook>;
  parameters: Parameters;
  /** What of the system is in this environment. */
  databases: Record<string, CatalogDatabase>;
  redis: Record<string, CatalogRedis>;
  /** Every action there is, by name: a way back may be any of them. */
  actions: Record<string, ActionFacts>;
  /** Channels that hear of it. */
  notify: string[];
}

/** What became of one step. `output` is what its action returned, cut to 4 KiB; all of it is in the evidence. */
export interface StepResult {
  /** Its name, or its place as `3` or `3.1` for a step within a parallel one. */
  step: string;
  kind: 'action' | 'gate' | 'wait' | 'until' | 'parallel' | 'runbook';
  outcome: 'done' | 'skipped' | 'undone';
  output?: unknown;
  /** Milliseconds. */
  tookMs: number;
}

export interface RunRunbookResult {
  outcome: 'completed' | 'planned';
  steps: StepResult[];
  plan?: Plan;
}

export const runRunbook: Contract<typeof input> = {
  procedure: 'runRunbook',
  description:
    'Carries out a runbook of the catalog: actions, gates, waits, checks, in its order; takes back on failure.',
  input,
  example: {
    system: 'sandbox',
    environment: 'local',
    runbook: 'scale-out',
    service: 'shop',
    parameters: { replicas: 3 },
    requestedBy: 'ana',
  },
  workflowId: (run) => `runbook/${run.system}/${run.environment}/${run.runbook}${run.service ? `-${run.service}` : ''}`,
};
