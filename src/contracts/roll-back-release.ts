import { z } from 'zod';
import type { Contract } from './contract.ts';
import { person, serviceReference, text, version } from './scalars.ts';

const input = z.strictObject({
  ...serviceReference,
  mode: z
    .enum(['emergency', 'planned'])
    .describe('emergency: at once, a running deployment stands down; planned: after confirmations'),
  to: version.optional().describe('Version to go back to; default: the last known good release'),
  requestedBy: person,
  reason: text.describe('Why; told to everyone'),
  planOnly: z.boolean().default(false).describe('Show the plan and touch nothing'),
});

export type RollBackReleaseInput = z.output<typeof input>;

export interface RollBackReleaseResult {
  outcome: 'rolled-back' | 'already-there' | 'planned';
  version: string;
  deployment: string;
  /** From the request to the moment the EndpointSlices listed only the old release, in milliseconds. */
  tookMs?: number;
  /** What speaks against the health of the release that serves now; empty when it is well. */
  faults?: string[];
  /** Set when traffic went to a release that was not fully ready, because it had more ready endpoints. */
  partlyReady?: string;
  plan?: unknown;
}

export const rollBackRelease: Contract<typeof input> = {
  procedure: 'rollBackRelease',
  description: 'Brings traffic back to the last known good release, or redeploys it when its pods are gone.',
  input,
  example: {
    system: 'sandbox',
    environment: 'local',
    service: 'shop',
    mode: 'emergency',
    requestedBy: 'ana',
    reason: 'error rate rose after v3',
  },
  workflowId: (rollback) => `rollback/${rollback.system}/${rollback.environment}/${rollback.service}`,
};
