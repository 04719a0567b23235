import { z } from 'zod';
import { failure } from '../../adapters/failure.ts';
import { parseQuantity } from '../../domain/cluster/quantity.ts';
import { labelText } from '../../domain/release/ownership.ts';
import type { PodMetrics } from '../../domain/release/objects.ts';
import { defineAction } from '../action.ts';

const MOST = 100;

/** As `kubectl top pods`: metrics-server averages over its own resolution, 15 s by default. */
export const measurePodUsage = defineAction({
  name: 'measurePodUsage',
  description: 'Reads what pods use of CPU and memory now, from metrics.k8s.io',
  group: 'kubernetes',
  parameters: z.strictObject({
    labels: z.record(z.string(), z.string()).default({}).describe('Pods that have all of these labels; default: all'),
  }),
  example: {},
  output: z.object({
    cpuMillicores: z.number(),
    memoryMiB: z.number(),
    pods: z.array(z.object({ name: z.string(), cpuMillicores: z.number(), memoryMiB: z.number(), at: z.string() })),
  }),
  changes: 'nothing',

  async run(context, { labels }) {
    const cluster = await context.cluster();
    const { namespace } = context.place.environment;
    const labelSelector = labelText(labels);
    const metrics = await cluster.list('PodMetrics', namespace, labelSelector ? { labelSelector } : {});
    if (metrics.length === 0)
      throw failure(
        'NotFound',
        `no usage of such pods in namespace ${namespace} is known (yet): a pod is measured some seconds after its start.`,
      );
    const pods = metrics.map(usageOf).sort((a, b) => b.memoryMiB - a.memoryMiB);
    return {
      cpuMillicores: rounded(sum(pods.map(({ cpuMillicores }) => cpuMillicores))),
      memoryMiB: rounded(sum(pods.map(({ memoryMiB }) => memoryMiB))),
      pods: pods.slice(0, MOST),
    };
  },
});

function usageOf({ metadata, timestamp, containers }: PodMetrics) {
  const total = (resource: 'cpu' | 'memory') =>
    sum(containers.map(({ usage }) => parseQuantity(usage[resource] ?? '0') ?? 0));
  return {
    name: metadata.name,
    cpuMillicores: rounded(total('cpu') * 1000),
    memoryMiB: rounded(total('memory') / 2 ** 20),
    at: timestamp,
  };
}

const sum = (values: number[]): number => values.reduce((total, each) => total + each, 0);
const rounded = (value: number): number => Math.round(value * 100) / 100;
