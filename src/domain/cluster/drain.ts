import type { Pod } from '../release/objects.ts';
import { isLeaving } from '../release/ownership.ts';

/** What a drain does with the pods of a node. */
export interface DrainPlan {
  /** To be evicted. */
  evict: Pod[];
  /** On their way out already; waited for. */
  leaving: Pod[];
  /** Why the node must not be drained, one line per pod. */
  refused: string[];
}

const MIRROR = 'kubernetes.io/config.mirror';

/**
 * Sorts the pods of a node. Those of a DaemonSet stay, because it ignores that a node is closed; static pods stay,
 * because only their node's kubelet ends them; finished ones need no node.
 * @param loss evict also what is lost with its node: pods that nothing makes again, and data in an `emptyDir`
 */
export function planDrain(pods: Pod[], { loss }: { loss: boolean }): DrainPlan {
  const plan: DrainPlan = { evict: [], leaving: [], refused: [] };
  for (const pod of pods) {
    const { metadata, spec, status } = pod;
    const owner = metadata.ownerReferences?.find(({ controller }) => controller);
    if (owner?.kind === 'DaemonSet' || metadata.annotations?.[MIRROR] !== undefined) continue;
    if (['Succeeded', 'Failed'].includes(status?.phase ?? '')) continue;
    if (isLeaving(pod)) {
      plan.leaving.push(pod);
      continue;
    }
    const name = `${metadata.namespace}/${metadata.name}`;
    const kept = (spec?.volumes ?? []).find(({ emptyDir }) => emptyDir !== undefined);
    if (!loss && !owner) plan.refused.push(`pod ${name} has no controller that makes it again`);
    else if (!loss && kept) plan.refused.push(`pod ${name} loses its volume ${kept.name} (emptyDir)`);
    else plan.evict.push(pod);
  }
  return plan;
}
