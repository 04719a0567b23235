import { z } from 'zod';
import type { DatabaseSlice, EnvironmentSlice, ServiceSlice } from './catalog.ts';
import type { Contract } from './contract.ts';
import type { EvidenceRef } from './evidence.ts';
import type { Plan } from './plan.ts';
import { name, person, place, text } from './scalars.ts';
import type { CatalogWindow, Opening, WindowTask } from './window.ts';

const input = z.strictObject({
  ...place,
  window: name.describe('Window of that system'),
  when: z
    .enum(['scheduled', 'now'])
    .default('scheduled')
    .describe("scheduled: at today's opening in the zone of the window; now: outside of the calendar, at once"),
  requestedBy: person,
  reason: text.optional(),
  planOnly: z.boolean().default(false).describe('Show the plan and touch nothing'),
});

export type MaintenanceWindowInput = z.output<typeof input>;

/** Part of a window that runbooks do. */
export type WindowPart = 'before' | 'tasks' | 'after';

/** What a window needs of the catalog, and when it is. */
export interface WindowSlice extends EnvironmentSlice {
  window: string;
  spec: CatalogWindow;
  service: Pick<ServiceSlice, 'service' | 'spec'>;
  /** Its own runbooks, and those of the windows that it includes this time. */
  work: Record<WindowPart, WindowTask[]>;
  /** Windows that it includes this time. */
  included: string[];
  databases: DatabaseSlice[];
  /** Databases whose newest backup is verified; absent in histories older than that. */
  verifies?: DatabaseSlice[];
  /** What its runbooks change, resolved: what it leases. */
  scopes: string[];
  opening: Opening;
  /** The window that does all of this instead, because it is open at the time. */
  coveredBy?: string;
  /** Why it cannot open now, when it cannot. */
  closed?: string;
}

export interface WindowTaskResult {
  part: WindowPart;
  runbook: string;
  /** `cut-off`: its time had come too late in the window to begin. */
  outcome: 'done' | 'cut-off' | 'failed';
  tookMs: number;
  message?: string;
}

/** The report of a window, kept as evidence. */
export interface WindowReport {
  window: string;
  opening: { date: string; opensAt: string; closesAt: string };
  backups: string[];
  /** Backups that were restored to scratch and found good. */
  verified: string[];
  tasks: WindowTaskResult[];
  /** How long maintenance mode was on. */
  interruptionMs: number;
  /** How much longer than the window it took. */
  overrunMs: number;
  failure?: string;
}

export interface MaintenanceWindowResult {
  outcome: 'completed' | 'planned' | 'covered';
  report?: WindowReport;
  evidence?: EvidenceRef;
  /** The window that did its tasks. */
  coveredBy?: string;
  plan?: Plan;
}

export const maintenanceWindow: Contract<typeof input> = {
  procedure: 'maintenanceWindow',
  description:
    'Opens a maintenance window of the catalog: backs up, puts maintenance mode on, does the tasks, takes it off, checks.',
  input,
  example: { system: 'sandbox', environment: 'local', window: 'weekly', when: 'now', requestedBy: 'kim' },
  workflowId: (of) => `window/${of.system}/${of.environment}/${of.window}`,
};
