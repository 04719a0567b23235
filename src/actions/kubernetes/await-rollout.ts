import { z } from 'zod';
import { failure } from '../../adapters/failure.ts';
import { duration } from '../../contracts/scalars.ts';
import { defineAction } from '../action.ts';
import { watchRollout } from './watch-rollout.ts';
import { workloadReference } from './workload.ts';

const LONGEST_MS = 3_600_000;

/** Ends early when the cause of a failure is certain, and names it: each asks for something else. */
export const awaitRollout = defineAction({
  name: 'awaitRollout',
  description: 'Waits until all pods of a workload run its newest template and are available',
  group: 'kubernetes',
  parameters: z.strictObject({
    ...workloadReference,
    within: duration.prefault('10m').describe('After this it fails (RolloutFailed), 1h at most'),
  }),
  example: { name: 'shop', within: '2m' },
  output: z.object({ images: z.array(z.string()) }),
  changes: 'nothing',
  timeoutMs: LONGEST_MS + 60_000,

  async run(context, { kind, name, within }) {
    const { namespace } = context.place.environment;
    const timeoutMs = Math.min(within, LONGEST_MS);
    const result = await watchRollout(context, await context.cluster(), { kind, namespace, name, timeoutMs });
    if (result.ready) return { images: result.imageIds };
    const { reason, detail } = result;
    throw failure('RolloutFailed', `${kind} ${name}: ${reason}: ${detail}`, [{ reason }]);
  },
});
