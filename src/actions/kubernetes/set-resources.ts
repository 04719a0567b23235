import { z } from 'zod';
import { quantity } from './quantity.ts';
import { containerOf, containerReference, defineWorkloadAction } from './workload.ts';

const amounts = z.strictObject({ cpu: quantity.optional(), memory: quantity.optional() });
const SECTIONS = ['requests', 'limits'] as const;

/** Convergent. What is not named stays as it is; quantities are compared as they are written. */
export const setResources = defineWorkloadAction({
  name: 'setResources',
  description: 'Sets CPU and memory, requests and limits, of a container of a workload, whose pods are then replaced',
  parameters: z.strictObject({
    ...containerReference,
    requests: amounts.prefault({}).describe('What is reserved on a node'),
    limits: amounts.prefault({}).describe('What it gets at most; more memory ends it'),
  }),
  example: { name: 'shop', container: 'app', limits: { memory: '256Mi' } },

  decide(workload, parameters) {
    const { container, path } = containerOf(workload, parameters);
    const { kind, name } = parameters;
    const former = container.resources ?? {};
    const wanted = { ...former };
    const lines: string[] = [];
    const undo: Record<string, Record<string, string>> = {};
    let isNew = false;
    for (const section of SECTIONS) {
      for (const [resource, amount] of Object.entries(parameters[section])) {
        const now = former[section]?.[resource];
        if (amount === undefined || now === amount) continue;
        wanted[section] = { ...wanted[section], [resource]: amount };
        lines.push(`${kind} ${name}, container ${container.name}: ${section}.${resource} ${now ?? 'none'} → ${amount}`);
        if (now === undefined) isNew = true;
        else undo[section] = { ...undo[section], [resource]: now };
      }
    }
    if (lines.length === 0) return undefined;
    return {
      lines,
      operations: [{ op: 'add', path: path('resources'), value: wanted }],
      // One that had no value cannot be taken back by setting one.
      ...(isNew ? {} : { undo: { action: 'setResources', with: { kind, name, container: container.name, ...undo } } }),
    };
  },
});
