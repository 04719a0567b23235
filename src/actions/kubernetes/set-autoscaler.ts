import { z } from 'zod';
import { failure } from '../../adapters/failure.ts';
import { kubernetesName } from '../../contracts/catalog-parts.ts';
import type { Autoscaler } from '../../domain/release/objects.ts';
import { defineAction } from '../action.ts';
import { changeObject, planChange, type Change } from './change-object.ts';

const count = z.int().min(1).max(500).optional();

/** Convergent: the bounds are read again before each attempt. */
export const setAutoscaler = defineAction({
  name: 'setAutoscaler',
  description: 'Sets the minimum and maximum of a HorizontalPodAutoscaler',
  group: 'kubernetes',
  parameters: z.strictObject({
    name: kubernetesName.describe('Name of the autoscaler'),
    minReplicas: count.describe('Never fewer pods than this'),
    maxReplicas: count.describe('Never more pods than this'),
  }),
  example: { name: 'shop', minReplicas: 2 },
  output: z.object({ minReplicas: z.int(), maxReplicas: z.int() }),
  changes: 'convergent',

  plan: (context, parameters) =>
    planChange(context, { kind: KIND, name: parameters.name }, (autoscaler) => decide(autoscaler, parameters)),

  async run(context, parameters) {
    const reference = { kind: KIND, name: parameters.name };
    const { after } = await changeObject(context, reference, (autoscaler) => decide(autoscaler, parameters));
    return boundsOf(after);
  },
});

const KIND = 'HorizontalPodAutoscaler' as const;

interface Bounds {
  name: string;
  minReplicas?: number | undefined;
  maxReplicas?: number | undefined;
}

function decide(autoscaler: Autoscaler, { name, ...wanted }: Bounds): Change | undefined {
  const now = boundsOf(autoscaler);
  const then = {
    minReplicas: wanted.minReplicas ?? now.minReplicas,
    maxReplicas: wanted.maxReplicas ?? now.maxReplicas,
  };
  if (then.minReplicas > then.maxReplicas)
    throw failure(
      'InvalidInput',
      `autoscaler ${name}: a minimum of ${then.minReplicas} is over its maximum of ${then.maxReplicas}`,
    );
  const fields = (['minReplicas', 'maxReplicas'] as const).filter((each) => now[each] !== then[each]);
  if (fields.length === 0) return undefined;
  return {
    lines: fields.map((each) => `autoscaler ${name}: ${each} ${now[each]} → ${then[each]}`),
    operations: fields.map((each) => ({ op: 'add', path: `/spec/${each}`, value: then[each] })),
    undo: { action: 'setAutoscaler', with: { name, ...now } },
  };
}

const boundsOf = ({ spec }: Autoscaler) => ({ minReplicas: spec.minReplicas ?? 1, maxReplicas: spec.maxReplicas });
