import { z } from 'zod';
import { kubernetesName } from '../../contracts/catalog-parts.ts';
import type { KubernetesEvent } from '../../domain/release/objects.ts';
import { defineAction } from '../action.ts';

/** The API server itself forgets an event after an hour. */
export const listEvents = defineAction({
  name: 'listEvents',
  description: 'Lists the newest events of the namespace, or of one object in it',
  group: 'kubernetes',
  parameters: z.strictObject({
    kind: z.string().max(63).optional().describe('Of objects of this kind: Pod, Deployment, …'),
    name: kubernetesName.optional().describe('Of the object of this name'),
    type: z.enum(['Normal', 'Warning']).optional().describe('Only these; Warning is what went wrong'),
    limit: z.int().min(1).max(100).default(20).describe('So many at most, the newest first'),
  }),
  example: { type: 'Warning' },
  output: z.object({
    count: z.int(),
    events: z.array(
      z.object({
        at: z.string(),
        type: z.string(),
        reason: z.string(),
        object: z.string(),
        message: z.string(),
        count: z.int(),
      }),
    ),
  }),
  changes: 'nothing',

  async run(context, { kind, name, type, limit }) {
    const cluster = await context.cluster();
    const fields = { 'involvedObject.kind': kind, 'involvedObject.name': name, type };
    const selector = Object.entries(fields).flatMap(([field, value]) => (value ? [`${field}=${value}`] : []));
    const found = await cluster.list('Event', context.place.environment.namespace, {
      ...(selector.length > 0 ? { fieldSelector: selector.join(',') } : {}),
    });
    const newest = found.sort((a, b) => timeOf(b).localeCompare(timeOf(a)));
    return { count: found.length, events: newest.slice(0, limit).map(shown) };
  },
});

/** Events of newer components carry a time of their own only; see `events.k8s.io/v1`. */
const timeOf = ({ lastTimestamp, eventTime, metadata }: KubernetesEvent): string =>
  lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '';

function shown(event: KubernetesEvent) {
  const { type = '', reason = '', message = '', involvedObject, count, series } = event;
  return {
    at: timeOf(event),
    type,
    reason,
    object: `${involvedObject.kind ?? ''}/${involvedObject.name ?? ''}`,
    message: message.trim().slice(0, 500),
    count: series?.count ?? count ?? 1,
  };
}
