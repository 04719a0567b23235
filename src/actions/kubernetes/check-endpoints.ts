import { z } from 'zod';
import { kubernetesName } from '../../contracts/catalog-parts.ts';
import { defineAction } from '../action.ts';
import { orFail, verdict, judged } from '../verdict.ts';

/** What traffic reaches is what the EndpointSlices list, not what the Service selects. */
export const checkEndpoints = defineAction({
  name: 'checkEndpoints',
  description: 'Counts the ready endpoints of a Service, and judges whether they are enough',
  group: 'kubernetes',
  parameters: z.strictObject({
    service: kubernetesName.describe('Name of the Service'),
    atLeast: z.int().min(0).default(1).describe('So many must be ready'),
    orFail,
  }),
  example: { service: 'shop' },
  output: z.object({ ...verdict, ready: z.int(), total: z.int(), pods: z.array(z.string()) }),
  changes: 'nothing',

  async run(context, { service, atLeast, orFail }) {
    const cluster = await context.cluster();
    const { namespace } = context.place.environment;
    const slices = await cluster.list('EndpointSlice', namespace, {
      labelSelector: `kubernetes.io/service-name=${service}`,
    });
    const endpoints = slices.flatMap((slice) => slice.endpoints ?? []);
    const ready = endpoints.filter(({ conditions }) => conditions?.ready);
    const few = `Service ${service} has ${ready.length} ready endpoints of ${endpoints.length}, expected at least ${atLeast}`;
    return {
      ...judged(ready.length < atLeast ? [few] : [], orFail),
      ready: ready.length,
      total: endpoints.length,
      pods: ready
        .map(({ targetRef }) => targetRef?.name ?? '')
        .filter(Boolean)
        .sort(),
    };
  },
});
