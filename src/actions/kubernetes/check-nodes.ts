import { z } from 'zod';
import { failure, isFailure } from '../../adapters/failure.ts';
import { parseQuantity } from '../../domain/cluster/quantity.ts';
import type { Node, NodeMetrics } from '../../domain/release/objects.ts';
import { defineAction } from '../action.ts';
import { judged, orFail, verdict } from '../verdict.ts';

const MOST = 100;

/** What a kubelet says of itself; https://kubernetes.io/docs/reference/node/node-status/#condition */
const PRESSURES = ['DiskPressure', 'MemoryPressure', 'PIDPressure'];

/** What speaks against a node, in words. @param memoryPercent undefined when nobody measured it */
export function nodeFaults(
  { metadata: { name }, status }: Node,
  memoryPercent: number | undefined,
  memoryBelow: number,
): string[] {
  const { conditions = [] } = status ?? {};
  const ready = conditions.find(({ type }) => type === 'Ready');
  return [
    ...(ready?.status === 'True' ? [] : [`node ${name} is not ready${ready?.message ? `: ${ready.message}` : ''}`]),
    ...conditions
      .filter(({ type, status }) => PRESSURES.includes(type) && status === 'True')
      .map(({ type, message }) => `node ${name} has ${type}${message ? `: ${message}` : ''}`),
    ...(memoryPercent !== undefined && memoryPercent >= memoryBelow
      ? [`node ${name} uses ${memoryPercent} % of its memory, expected less than ${memoryBelow} %`]
      : []),
  ];
}

/** Disk by the kubelet's own judgement (DiskPressure): it knows its thresholds, and acts by them. */
export const checkNodes = defineAction({
  name: 'checkNodes',
  description: 'Judges nodes: ready, without pressure on disk, memory or processes, and with memory left',
  group: 'kubernetes',
  parameters: z.strictObject({
    memoryBelow: z.number().positive().max(100).default(90).describe('Percent of its memory that a node may use'),
    orFail,
  }),
  example: { memoryBelow: 90 },
  output: z.object({
    ...verdict,
    nodes: z.array(z.object({ name: z.string(), memoryPercent: z.number().optional() })),
  }),
  changes: 'nothing',

  async run(context, { memoryBelow, orFail }) {
    const cluster = await context.cluster();
    const [nodes, metrics] = await Promise.all([
      cluster.list('Node', undefined),
      // A cluster without metrics-server: conditions are judged alone.
      cluster.list('NodeMetrics', undefined).catch((error) => {
        if (isFailure(error, 'NotFound')) return [];
        throw error;
      }),
    ]);
    if (nodes.length === 0) throw failure('NotFound', 'the cluster has no nodes');
    const described = nodes.map((node) => ({ node, memoryPercent: memoryPercentOf(node, metrics) }));
    return {
      ...judged(
        described.flatMap(({ node, memoryPercent }) => nodeFaults(node, memoryPercent, memoryBelow)),
        orFail,
      ),
      nodes: described.slice(0, MOST).map(({ node, memoryPercent }) => ({
        name: node.metadata.name,
        ...(memoryPercent === undefined ? {} : { memoryPercent }),
      })),
    };
  },
});
function memoryPercentOf({ metadata: { name }, status }: Node, metrics: NodeMetrics[]): number | undefined {
  const used = parseQuantity(metrics.find(({ metadata }) => metadata.name === name)?.usage['memory'] ?? '');
  const there = parseQuantity(status?.allocatable?.['memory'] ?? '');
  return used === undefined || !there ? undefined : Math.round((1000 * used) / there) / 10;
}
