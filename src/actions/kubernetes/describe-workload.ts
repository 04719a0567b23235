import { z } from 'zod';
import { isRolledOut } from '../../domain/release/rollout.ts';
import { defineAction } from '../action.ts';
import { readWorkload, workloadReference } from './workload.ts';

export const describeWorkload = defineAction({
  name: 'describeWorkload',
  description: 'Reads replicas, images and conditions of a Deployment or StatefulSet',
  group: 'kubernetes',
  parameters: z.strictObject(workloadReference),
  example: { name: 'shop' },
  output: z.object({
    replicas: z.int(),
    ready: z.int(),
    available: z.int(),
    updated: z.int(),
    rolledOut: z.boolean(),
    images: z.record(z.string(), z.string()),
    conditions: z.array(z.string()),
  }),
  changes: 'nothing',

  async run(context, reference) {
    const workload = await readWorkload(context, reference);
    const { spec, status } = workload;
    const images = spec.template.spec.containers.map(({ name, image }) => [name, image] as const);
    return {
      replicas: spec.replicas ?? 1,
      ready: status?.readyReplicas ?? 0,
      available: status?.availableReplicas ?? 0,
      updated: status?.updatedReplicas ?? 0,
      rolledOut: isRolledOut(workload),
      images: Object.fromEntries(images),
      conditions: (status?.conditions ?? []).map(({ type, status: is, message }) =>
        [`${type}=${is}`, message].filter(Boolean).join(': '),
      ),
    };
  },
});
