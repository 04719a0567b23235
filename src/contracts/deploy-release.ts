import { z } from 'zod';
import { tagOf } from '../domain/release/image.ts';
import type { Contract } from './contract.ts';
import { imageReference, person, serviceReference, text, version } from './scalars.ts';

const input = z
  .strictObject({
    ...serviceReference,
    image: imageReference.describe('Image to release, with a tag or digest'),
    version: version.optional().describe('Version that /health must report; default: the tag of the image'),
    requestedBy: person.describe('Who asks; excluded from deciding where four eyes are required'),
    reason: text.optional(),
    planOnly: z.boolean().default(false).describe('Show the plan and touch nothing'),
    onBusy: z.enum(['refuse', 'queue']).default('refuse').describe('When another procedure holds the service'),
    critical: z
      .boolean()
      .default(false)
      .describe('It goes out in the yellow zone of the error budget too; needs a reason'),
  })
  .refine((release) => !release.critical || release.reason !== undefined, {
    path: ['reason'],
    message: 'expected why the release is critical',
  });

export type DeployReleaseInput = z.output<typeof input>;

/** How a release ended. Anything but `released` and `planned` closes the workflow as failed, with this in its details. */
export interface DeployReleaseResult {
  outcome: 'released' | 'planned';
  version: string;
  color?: string;
  /** Deployment that served before, and when it goes. */
  previous?: { deployment: string; version: string; retiresAt: string; retireWorkflowId: string };
  /** What to commit to Git so that the next apply does not undo the release. */
  commit?: string;
  plan?: unknown;
}

export const deployRelease: Contract<typeof input> = {
  procedure: 'deployRelease',
  description:
    'Blue-green release of one service: checks, approvals, the new color beside the old, switch, soak, and back on failure.',
  input,
  example: {
    system: 'sandbox',
    environment: 'local',
    service: 'shop',
    image: 'docker.io/windlass/sample:v2',
    requestedBy: 'ana',
  },
  workflowId: (release) =>
    `deploy/${release.system}/${release.environment}/${release.service}-${release.version ?? versionOf(release.image)}`,
};

/** The version an image reference names: its tag, else the first twelve digits of its digest. */
export function versionOf(image: string): string {
  const digest = /@sha256:([a-f0-9]{12})/.exec(image)?.[1];
  return tagOf(image) ?? digest ?? image;
}
