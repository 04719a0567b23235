import { z } from 'zod';
import type { Deployment } from '../../domain/release/objects.ts';
import { defineAction } from '../action.ts';
import { changeObject, planChange, type Change } from './change-object.ts';
import { workloadReference, type WorkloadReference } from './workload.ts';

/**
 * Sets the number of replicas, once: an autoscaler that owns the count would set it back, so there its minimum is the
 * thing to change. Convergent: a process that dies before or after the patch leaves a count that the next attempt sees.
 */
export const scaleWorkload = defineAction({
  name: 'scaleWorkload',
  description: 'Sets the replicas of a Deployment or StatefulSet; `onlyUp` never lowers them',
  group: 'kubernetes',
  parameters: z.strictObject({
    ...workloadReference,
    replicas: z.int().min(0).max(500).describe('How many pods it shall have'),
    onlyUp: z.boolean().default(false).describe('Leave it alone when it has more'),
  }),
  example: { name: 'shop', replicas: 3 },
  output: z.object({ before: z.int(), after: z.int() }),
  changes: 'convergent',

  plan: (context, parameters) => planChange(context, parameters, (workload) => decide(workload, parameters)),

  async run(context, parameters) {
    const { before, after } = await changeObject(context, parameters, (workload) => decide(workload, parameters));
    return { before: replicasOf(before), after: replicasOf(after) };
  },
});

interface Scale extends WorkloadReference {
  replicas: number;
  onlyUp: boolean;
}

function decide(workload: Deployment, { kind, name, replicas, onlyUp }: Scale): Change | undefined {
  const now = replicasOf(workload);
  if (now === replicas || (onlyUp && now > replicas)) return undefined;
  return {
    lines: [`${kind} ${name}: ${now} → ${replicas} replicas`],
    operations: [{ op: 'add', path: '/spec/replicas', value: replicas }],
    undo: { action: 'scaleWorkload', with: { kind, name, replicas: now } },
  };
}

const replicasOf = ({ spec }: Deployment): number => spec.replicas ?? 1;
