import { z } from 'zod';
import { failure } from '../../adapters/failure.ts';
import type { Cluster } from '../../adapters/kubernetes/cluster.ts';
import { duration } from '../../contracts/scalars.ts';
import { planDrain } from '../../domain/cluster/drain.ts';
import { formatDuration } from '../../domain/duration.ts';
import type { Pod } from '../../domain/release/objects.ts';
import { defineAction } from '../action.ts';
import { startedAt } from '../started-at.ts';
import { changeObject, planChange } from './change-object.ts';
import { decideCordon, nodeReference } from './node.ts';

const EVERY_MS = 2_000;
const LONGEST_MS = 3_600_000;

/**
 * As `kubectl drain`: closes the node, then evicts its pods. A disruption budget that forbids an eviction is waited out.
 * Convergent: pods are evicted by UID, so an attempt after one that died goes on with those that are left.
 */
export const drainNode = defineAction({
  name: 'drainNode',
  description: 'Moves all pods off a node, as disruption budgets allow it, and lets it take no new ones',
  group: 'kubernetes',
  parameters: z.strictObject({
    ...nodeReference,
    within: duration.prefault('10m').describe('How long budgets and pods that end slowly are waited for, 1h at most'),
    loss: z
      .boolean()
      .default(false)
      .describe('Also evict pods that nothing makes again, and those with data in an emptyDir'),
  }),
  example: { node: 'sandbox', within: '5m' },
  output: z.object({ evicted: z.int(), stayed: z.int() }),
  changes: 'convergent',
  timeoutMs: LONGEST_MS + 60_000,

  async plan(context, { node, loss }) {
    const cluster = await context.cluster();
    const { lines, undo } = await planChange(context, { kind: 'Node', name: node }, (each) => decideCordon(each, true));
    const { evict, refused } = planDrain(await podsOn(cluster, node), { loss });
    if (refused.length > 0) throw refuse(node, refused);
    const evicted = evict.map(({ metadata }) => `pod ${metadata.namespace}/${metadata.name} is evicted`);
    return { lines: [...lines, ...evicted], ...(undo ? { undo } : {}) };
  },

  async run(context, { node, within, loss }) {
    const cluster = await context.cluster();
    const { refused } = planDrain(await podsOn(cluster, node), { loss });
    if (refused.length > 0) throw refuse(node, refused);
    await changeObject(context, { kind: 'Node', name: node }, (each) => decideCordon(each, true));

    const former = context.former as { evicted?: number } | undefined;
    const progress = { ...startedAt(context), evicted: former?.evicted ?? 0 };
    const deadline = progress.startedAt + Math.min(within, LONGEST_MS);
    for (;;) {
      const pods = await podsOn(cluster, node);
      const { evict, leaving, refused: late } = planDrain(pods, { loss });
      if (late.length > 0) throw refuse(node, late);
      if (evict.length + leaving.length === 0) return { evicted: progress.evicted, stayed: pods.length };
      if (evict.length > 0) await context.assertFence();
      const blocked: string[] = [];
      for (const { metadata } of evict) {
        const eviction = await cluster.evict(metadata.namespace, metadata);
        if (eviction.outcome === 'evicted') progress.evicted++;
        if (eviction.outcome === 'blocked') blocked.push(`${metadata.namespace}/${metadata.name}: ${eviction.by}`);
        context.heartbeat(progress);
      }
      if (context.now() >= deadline) throw overdue(node, within, blocked, [...evict, ...leaving]);
      await context.sleep(EVERY_MS);
    }
  },
});

const podsOn = (cluster: Cluster, node: string): Promise<Pod[]> =>
  cluster.list('Pod', undefined, { fieldSelector: `spec.nodeName=${node}` });

const refuse = (node: string, why: string[]) =>
  failure('Refused', `node ${node} is not drained: ${why.join('; ')}. Move them first, or say \`loss: true\`.`);

function overdue(node: string, within: number, blocked: string[], left: Pod[]) {
  const names = left.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  const why =
    blocked.length > 0 ? `disruption budgets forbid ${blocked.join('; ')}` : `${names.join(', ')} did not end`;
  return failure(
    'TimedOut',
    `node ${node} is not drained after ${formatDuration(within)}: ${why}. It takes no new pods.`,
  );
}
