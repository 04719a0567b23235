import { z } from 'zod';
import { pointer } from '../../adapters/kubernetes/json-patch.ts';
import { MARKS } from '../../domain/release/state.ts';
import { defineWorkloadAction, workloadReference } from './workload.ts';

/**
 * As `kubectl rollout restart`, but once per step: the annotation holds the step's key and not the time, so an attempt
 * after one that died right after its patch finds it and restarts nothing again.
 */
export const restartWorkload = defineWorkloadAction({
  name: 'restartWorkload',
  description: 'Replaces all pods of a workload one after another, as its rollout strategy says',
  parameters: z.strictObject(workloadReference),
  example: { name: 'shop' },

  decide({ spec: { template } }, { kind, name }, key) {
    const annotations = template.metadata?.annotations;
    if (annotations?.[MARKS.restart] === key) return undefined;
    const path = ['spec', 'template', 'metadata', 'annotations'];
    return {
      lines: [`${kind} ${name}: all pods are replaced`],
      operations: [
        // Without any, the map itself must be made first.
        ...(annotations ? [] : [{ op: 'add' as const, path: pointer(...path), value: {} }]),
        { op: 'add', path: pointer(...path, MARKS.restart), value: key },
      ],
    };
  },
});
