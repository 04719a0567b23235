import { z } from 'zod';
import { kubernetesName } from '../../contracts/catalog-parts.ts';
import type { Node } from '../../domain/release/objects.ts';
import { defineAction } from '../action.ts';
import { changeObject, planChange, type Change } from './change-object.ts';
import { changed } from './workload.ts';

export const nodeReference = { node: kubernetesName.describe('Name of the node') };

/** Closes a node for new pods, or opens it. */
export function decideCordon({ metadata: { name }, spec }: Node, cordoned: boolean): Change | undefined {
  if (Boolean(spec.unschedulable) === cordoned) return undefined;
  return {
    lines: [`Node ${name}: ${cordoned ? 'takes no new pods' : 'takes new pods again'}`],
    operations: [{ op: 'add', path: '/spec/unschedulable', value: cordoned }],
    undo: { action: cordoned ? 'uncordonNode' : 'cordonNode', with: { node: name } },
  };
}

const define = (name: string, cordoned: boolean, description: string) =>
  defineAction({
    name,
    description,
    group: 'kubernetes',
    parameters: z.strictObject(nodeReference),
    example: { node: 'sandbox' },
    output: changed,
    changes: 'convergent',
    plan: (context, { node }) =>
      planChange(context, { kind: 'Node', name: node }, (each) => decideCordon(each, cordoned)),
    async run(context, { node }) {
      const reference = { kind: 'Node', name: node } as const;
      const { lines } = await changeObject(context, reference, (each) => decideCordon(each, cordoned));
      return { changed: lines.length > 0, changes: lines };
    },
  });

/** Convergent, both: whether the node is closed is read before each attempt. */
export const cordonNode = define('cordonNode', true, 'Lets a node take no new pods; those on it stay');
export const uncordonNode = define('uncordonNode', false, 'Lets a node take pods again');
