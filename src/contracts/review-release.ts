import { z } from 'zod';
import type { Contract } from './contract.ts';
import { serviceReference, version } from './scalars.ts';

const input = z.strictObject({
  ...serviceReference,
  version,
  release: z.string().max(1000).describe('Workflow id of the release'),
  dueAt: z.iso.datetime().describe('When the review is due'),
});

export type ReviewReleaseInput = z.output<typeof input>;

export interface ReviewReleaseResult {
  outcome: 'held' | 'not-held';
  message: string;
}

export const reviewRelease: Contract<typeof input> = {
  procedure: 'reviewRelease',
  description:
    'Post-deployment review: reminds people when it is due and waits until somebody confirms that it was held.',
  input,
  example: {
    system: 'sandbox',
    environment: 'local',
    service: 'shop',
    version: 'v2',
    release: 'deploy/sandbox/local/shop-v2',
    dueAt: '2030-01-03T09:00:00Z',
  },
  workflowId: (review) =>
    `review/${review.system}/${review.environment}/${review.service}-${review.version}-${review.dueAt.slice(0, 10)}`,
};
