import { z } from 'zod';
import type { Pod } from '../../domain/release/objects.ts';
import { isReady } from '../../domain/release/ownership.ts';
import { explainPod } from '../../domain/release/rollout.ts';
import { defineAction } from '../action.ts';
import { podSelection, selectPods } from './select-pods.ts';
import { eventsOfPods } from './watch-rollout.ts';

const MOST = 100;
/** Events are asked for so many pods in trouble; the others are explained without. */
const EXPLAINED = 5;

/** Why a pod is not ready, told apart because each asks for something else; empty when nothing speaks against it. */
export const describePods = defineAction({
  name: 'describePods',
  description:
    'Lists pods with phase, restarts, and why one is not ready: image-pull, crash-loop, out-of-memory, unschedulable, configuration, probe',
  group: 'kubernetes',
  parameters: z.strictObject(podSelection),
  example: { workload: 'shop' },
  output: z.object({
    count: z.int(),
    ready: z.int(),
    restarts: z.int(),
    reasons: z.array(z.string()),
    pods: z.array(
      z.object({
        name: z.string(),
        uid: z.string(),
        phase: z.string(),
        node: z.string(),
        ready: z.boolean(),
        restarts: z.int(),
        reason: z.string(),
        detail: z.string(),
      }),
    ),
  }),
  changes: 'nothing',

  async run(context, selection) {
    const pods = await selectPods(context, selection);
    const unready = pods.filter((pod) => !isReady(pod));
    const events = await eventsOfPods(await context.cluster(), unready.slice(0, EXPLAINED));
    const described = pods.map((pod) => {
      const trouble = isReady(pod) ? undefined : explainPod(pod, context.now(), events);
      return {
        name: pod.metadata.name,
        uid: pod.metadata.uid,
        phase: pod.metadata.deletionTimestamp ? 'Terminating' : (pod.status?.phase ?? 'Unknown'),
        node: pod.spec?.nodeName ?? '',
        ready: isReady(pod),
        restarts: restartsOf(pod),
        reason: trouble?.reason ?? '',
        detail: trouble?.detail ?? '',
      };
    });
    return {
      count: pods.length,
      ready: pods.length - unready.length,
      restarts: described.reduce((sum, { restarts }) => sum + restarts, 0),
      reasons: [...new Set(described.map(({ reason }) => reason))].filter(Boolean).sort(),
      // Those in trouble first: a history holds so many and no more.
      pods: described.sort((a, b) => Number(a.ready) - Number(b.ready)).slice(0, MOST),
    };
  },
});

const restartsOf = (pod: Pod): number =>
  (pod.status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
