import { z } from 'zod';
import { readFormer, writeFormer } from './former-env.ts';
import { containerOf, containerReference, defineWorkloadAction } from './workload.ts';

/** Convergent: the note of what was is removed in the very patch that puts it back. */
export const restoreEnv = defineWorkloadAction({
  name: 'restoreEnv',
  description: 'Gives a container the environment variables back that a step of `setEnv` changed',
  parameters: z.strictObject({
    ...containerReference,
    step: z.string().min(1).max(500).describe('Key of that step; its plan names it'),
  }),
  example: { name: 'shop', container: 'app', step: 'runbook/sandbox/local/example/1' },

  decide(workload, { kind, name, container: containerName, step }) {
    const former = readFormer(workload.metadata)[step];
    if (!former) return undefined;
    const { container, path } = containerOf(workload, { kind, name, container: containerName });
    const untouched = (container.env ?? []).filter((each) => !Object.hasOwn(former, each.name));
    const restored = Object.values(former).filter((each) => each !== null);
    return {
      lines: Object.entries(former).map(
        ([variable, entry]) =>
          `${kind} ${name}, container ${containerName}: ${variable} is ${entry ? 'what it was' : 'not set any more'}`,
      ),
      operations: [
        { op: 'add', path: path('env'), value: [...untouched, ...restored] },
        ...writeFormer(workload.metadata, step, undefined),
      ],
    };
  },
});
