import { failure } from '../src/adapters/failure.ts';
import { annotate, testUnchanged, unannotate, type Operation } from '../src/adapters/kubernetes/json-patch.ts';
import type { Cluster } from '../src/adapters/kubernetes/cluster.ts';
import type { Autoscaler } from '../src/domain/release/objects.ts';
import { MARKS } from '../src/domain/release/state.ts';
import type { Dependencies } from './dependencies.ts';
import { openTarget, readFenced } from './guard.ts';
import type { Fenced, ReleaseActivities } from './release-types.ts';

const ROUNDS = 5;
const MINIMUM = '/spec/minReplicas';

/**
 * The minimum of an autoscaler: a color without traffic would shrink, and could not take the traffic back. Convergent:
 * the former minimum is in an annotation that is written with the new one and removed with it, so a process may die
 * before or after the patch and the next attempt finds what is left to do.
 */
export function createAutoscalerActivities({
  kubernetes,
}: Pick<Dependencies, 'kubernetes'>): Pick<ReleaseActivities, 'pinAutoscaler' | 'unpinAutoscaler'> {
  return {
    /** Raises the minimum, never lowers it. @throws Fenced, NotFound */
    async pinAutoscaler({ target, token, hpa, minimum }) {
      const cluster = await openTarget(kubernetes, target);
      await changeAutoscaler(cluster, { target, token }, hpa, ({ metadata, spec }) => {
        const own = metadata.annotations?.[MARKS.hpaMinimum] ?? String(spec.minReplicas ?? 1);
        const pinned = Math.min(Math.max(minimum, Number(own)), spec.maxReplicas);
        if (metadata.annotations?.[MARKS.hpaMinimum] && spec.minReplicas === pinned) return [];
        return [
          { op: 'add', path: MINIMUM, value: pinned },
          ...annotate(metadata, { [MARKS.hpaMinimum]: own, [MARKS.fence]: String(token) }),
        ];
      });
    },

    /** Gives the autoscaler its own minimum back; nothing when it is gone or not pinned. @throws Fenced */
    async unpinAutoscaler({ target, token, hpa }) {
      await unpin(await openTarget(kubernetes, target), { target, token }, hpa);
    },
  };
}

/** As the activity; `recordOutcome` of a good release uses it too. */
export async function unpin(cluster: Cluster, fenced: Fenced, hpa: string): Promise<void> {
  await changeAutoscaler(
    cluster,
    fenced,
    hpa,
    ({ metadata }) => {
      const own = metadata.annotations?.[MARKS.hpaMinimum];
      // The token is written in any case: it makes a pin of an older holder, which may still travel, miss.
      if (own === undefined)
        return metadata.annotations?.[MARKS.fence] === String(fenced.token)
          ? []
          : annotate(metadata, { [MARKS.fence]: String(fenced.token) });
      return [
        { op: 'add', path: MINIMUM, value: Number(own) },
        ...unannotate(metadata, MARKS.hpaMinimum),
        ...annotate(metadata, { [MARKS.fence]: String(fenced.token) }),
      ];
    },
    'absent is fine',
  );
}

/**
 * The autoscaler is read before the fence is: whoever takes the lease in between changes it, and the patch, which tests
 * the version that was read, then misses.
 */
async function changeAutoscaler(
  cluster: Cluster,
  fenced: Fenced,
  name: string,
  decide: (autoscaler: Autoscaler) => Operation[],
  absent?: 'absent is fine',
): Promise<void> {
  const { namespace } = fenced.target;
  for (let round = 0; round < ROUNDS; round++) {
    const autoscaler = await cluster.find('HorizontalPodAutoscaler', namespace, name);
    await readFenced(cluster, fenced);
    if (!autoscaler && absent) return;
    if (!autoscaler) throw failure('NotFound', `Autoscaler ${name} is not in namespace ${namespace} any more.`);
    const operations = decide(autoscaler);
    if (operations.length === 0) return;
    const patch = [testUnchanged(autoscaler.metadata), ...operations];
    if (await cluster.patch('HorizontalPodAutoscaler', namespace, name, patch)) return;
  }
  throw failure('Unavailable', `Autoscaler ${name} in namespace ${namespace} is being changed by others all the time.`);
}
