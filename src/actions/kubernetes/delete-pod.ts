import { z } from 'zod';
import { failure } from '../../adapters/failure.ts';
import { kubernetesName } from '../../contracts/catalog-parts.ts';
import { defineAction } from '../action.ts';

/**
 * Convergent: the UID names one pod for ever. A StatefulSet makes a new pod of the same name, which an attempt after one
 * that died right after its delete leaves alone.
 */
export const deletePod = defineAction({
  name: 'deletePod',
  description: 'Deletes exactly one pod; what made it makes another',
  group: 'kubernetes',
  parameters: z.strictObject({
    name: kubernetesName.describe('Name of the pod'),
    uid: z.uuid().describe('Its UID, which `describePods` tells: another pod of that name is left alone'),
  }),
  example: { name: 'shop-0', uid: '00000000-0000-4000-8000-000000000000' },
  output: z.object({ deleted: z.boolean() }),
  changes: 'convergent',

  async plan(context, { name, uid }) {
    const cluster = await context.cluster();
    const pod = await cluster.find('Pod', context.place.environment.namespace, name);
    return { lines: pod?.metadata.uid === uid ? [`pod ${name} (${uid}) is deleted`] : [] };
  },

  async run(context, { name, uid }) {
    const cluster = await context.cluster();
    const { namespace } = context.place.environment;
    const pod = await cluster.find('Pod', namespace, name);
    if (pod?.metadata.uid !== uid || pod.metadata.deletionTimestamp) return { deleted: false };
    await context.assertFence();
    const removed = await cluster.remove('Pod', namespace, { name, uid });
    if (removed === 'changed') throw failure('Unavailable', `pod ${name} changed while it was being deleted.`);
    return { deleted: removed === 'deleted' };
  },
});
