import { z } from 'zod';
import { kubernetesName } from '../../contracts/catalog-parts.ts';
import type { EnvironmentVariable } from '../../domain/release/objects.ts';
import { readFormer, writeFormer } from './former-env.ts';
import { containerOf, containerReference, defineWorkloadAction } from './workload.ts';

const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'expected a name such as LOG_LEVEL');

const variable = z.union([
  z.string().max(2000),
  z.strictObject({
    secretKeyRef: z.strictObject({ name: kubernetesName, key: z.string().regex(/^[A-Za-z0-9._-]{1,253}$/) }),
  }),
]);

/**
 * Convergent: variables that are so already are left alone. What they were is kept on the workload until `restoreEnv`
 * puts it back; an attempt that finds its own note leaves it, so that it never notes down its own work.
 */
export const setEnv = defineWorkloadAction({
  name: 'setEnv',
  description: 'Sets environment variables of a container of a workload, whose pods are then replaced',
  parameters: z.strictObject({
    ...containerReference,
    env: z
      .record(variableName, variable)
      .refine((env) => Object.keys(env).length > 0, 'expected at least one variable')
      .describe('A literal, which everybody may read, or `secretKeyRef: {name, key}`: a secret is never written here'),
  }),
  example: { name: 'shop', container: 'app', env: { APP_GREETING: 'hello' } },

  decide(workload, { kind, name, container: containerName, env }, key) {
    const { container, path } = containerOf(workload, { kind, name, container: containerName });
    const now = container.env ?? [];
    const wanted = Object.entries(env).map(([each, given]) => entryOf(each, given));
    const different = wanted.filter((each) => !same(find(now, each.name), each));
    if (different.length === 0) return undefined;
    const former = Object.fromEntries(different.map(({ name: each }) => [each, find(now, each) ?? null]));
    const noted = readFormer(workload.metadata)[key];
    const kept = now.filter((each) => !different.some((other) => other.name === each.name));
    return {
      lines: different.map(
        (each) =>
          `${kind} ${name}, container ${containerName}: ${textOf(each)} (${find(now, each.name) ? 'had another value' : 'was not set'})`,
      ),
      operations: [
        { op: 'add', path: path('env'), value: [...kept, ...different] },
        ...writeFormer(workload.metadata, key, { ...former, ...noted }),
      ],
      undo: { action: 'restoreEnv', with: { kind, name, container: containerName, step: key } },
    };
  },
});

const find = (env: EnvironmentVariable[], name: string) => env.find((each) => each.name === name);

const entryOf = (name: string, value: z.output<typeof variable>): EnvironmentVariable =>
  typeof value === 'string' ? { name, value } : { name, valueFrom: value };

/** The API server leaves out an empty literal. */
function same(a: EnvironmentVariable | undefined, b: EnvironmentVariable): boolean {
  if (!a) return false;
  const [one, other] = [a.valueFrom?.secretKeyRef, b.valueFrom?.secretKeyRef];
  if (one || other) return one?.name === other?.name && one?.key === other?.key;
  return !a.valueFrom && (a.value ?? '') === (b.value ?? '');
}

function textOf({ name, value, valueFrom }: EnvironmentVariable): string {
  const secret = valueFrom?.secretKeyRef;
  return secret ? `${name} from key ${secret.key} of Secret ${secret.name}` : `${name} = ${value ?? ''}`;
}
