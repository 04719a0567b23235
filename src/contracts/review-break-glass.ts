import { z } from 'zod';
import type { Contract } from './contract.ts';
import { name, person, place, text } from './scalars.ts';

const input = z.strictObject({
  ...place,
  of: z.string().min(1).max(1000).describe('Workflow id of the procedure whose gate was passed'),
  gate: name.describe('The gate that one person passed alone'),
  code: z.string().min(1).max(64).describe('Code of that gate'),
  asks: z.string().min(1).max(500).describe('What the gate asked'),
  by: person.describe('Who passed it; cannot review it'),
  reason: text,
  brokenAt: z.iso.datetime(),
  roles: z.array(name).min(1).describe('Who may review it'),
  notify: z.array(name).default([]).describe('Channels that are told'),
  dueAt: z.iso.datetime().describe('Until when it must be reviewed'),
});

export type ReviewBreakGlassInput = z.output<typeof input>;

export interface ReviewBreakGlassResult {
  /** `objected`: the reviewer says that it should not have been done. */
  outcome: 'reviewed' | 'objected' | 'not-reviewed';
  message: string;
}

export const reviewBreakGlass: Contract<typeof input> = {
  procedure: 'reviewBreakGlass',
  description: 'Review of a break-glass: waits until somebody else has looked at why one person passed a gate alone.',
  input,
  example: {
    system: 'sandbox',
    environment: 'local',
    of: 'deploy/sandbox/local/shop-v2',
    gate: 'lead',
    code: '3f2a1b0c-9d8e7f6a',
    asks: 'Shall shop be released?',
    by: 'kim',
    reason: 'checkout is down and nobody answers',
    brokenAt: '2030-01-03T03:00:00Z',
    roles: ['lead'],
    dueAt: '2030-01-06T03:00:00Z',
  },
  // The server takes ids of 1,000 bytes; what makes this one unique comes first.
  workflowId: (review) =>
    `review-break-glass/${review.gate}-${review.code}-${Date.parse(review.brokenAt)}/${review.of}`.slice(0, 1000),
};
