import { z } from 'zod';
import { failure } from '../../adapters/failure.ts';
import type { Probe } from '../../domain/release/objects.ts';
import { containerOf, containerReference, defineWorkloadAction } from './workload.ts';

const PROBES = { readiness: 'readinessProbe', liveness: 'livenessProbe', startup: 'startupProbe' } as const;

/** What the API server fills in; a value of 0 is left out of its answers. */
const DEFAULTS: Required<Probe> = {
  initialDelaySeconds: 0,
  periodSeconds: 10,
  timeoutSeconds: 1,
  failureThreshold: 3,
  successThreshold: 1,
};
const seconds = z.int().min(1).max(3600).optional();

/** Convergent. It changes when a probe asks and how patient it is, never what it asks. */
export const patchProbe = defineWorkloadAction({
  name: 'patchProbe',
  description: 'Changes times and thresholds of a probe that a container has; its pods are then replaced',
  parameters: z.strictObject({
    ...containerReference,
    probe: z.enum(['readiness', 'liveness', 'startup']).describe('Which of its probes'),
    initialDelaySeconds: z.int().min(0).max(3600).optional().describe('Before the first question'),
    periodSeconds: seconds.describe('Between two questions'),
    timeoutSeconds: seconds.describe('How long an answer may take'),
    failureThreshold: z.int().min(1).max(1000).optional().describe('So many failures in a row count'),
    successThreshold: z.int().min(1).max(1000).optional().describe('So many successes in a row count'),
  }),
  example: { name: 'shop', container: 'app', probe: 'readiness', failureThreshold: 5 },

  decide(workload, { kind, name, container: containerName, probe, ...wanted }) {
    const { container, path } = containerOf(workload, { kind, name, container: containerName });
    const field = PROBES[probe];
    const now = container[field];
    const where = `${kind} ${name}, container ${containerName}`;
    if (!now) throw failure('NotFound', `${where} has no ${probe} probe: it must be made in its manifest first.`);
    const former = { ...DEFAULTS, ...now };
    const fields = (Object.keys(DEFAULTS) as (keyof Probe)[]).filter(
      (each) => wanted[each] !== undefined && wanted[each] !== former[each],
    );
    if (fields.length === 0) return undefined;
    const undo = Object.fromEntries(fields.map((each) => [each, former[each]]));
    return {
      lines: fields.map((each) => `${where}: ${probe} ${each} ${former[each]} → ${wanted[each]}`),
      operations: fields.map((each) => ({ op: 'add', path: path(field, each), value: wanted[each] })),
      undo: { action: 'patchProbe', with: { kind, name, container: containerName, probe, ...undo } },
    };
  },
});
