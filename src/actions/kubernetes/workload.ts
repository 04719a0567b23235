import { z } from 'zod';
import { failure } from '../../adapters/failure.ts';
import { pointer } from '../../adapters/kubernetes/json-patch.ts';
import type { Kinds } from '../../adapters/kubernetes/kinds.ts';
import { kubernetesName } from '../../contracts/catalog-parts.ts';
import type { Container, Deployment } from '../../domain/release/objects.ts';
import { defineAction, type Action, type ActionContext } from '../action.ts';
import { changeObject, planChange, type Change } from './change-object.ts';

export const workloadKind = z
  .enum(['Deployment', 'StatefulSet'])
  .default('Deployment')
  .describe('What runs the pods: Deployment or StatefulSet');
export type WorkloadKind = z.output<typeof workloadKind>;

/** How an action names a workload. */
export const workloadReference = { kind: workloadKind, name: kubernetesName.describe('Name of the workload') };
export interface WorkloadReference {
  kind: WorkloadKind;
  name: string;
}

/** How an action names one container of a workload. */
export const containerReference = {
  ...workloadReference,
  container: kubernetesName.describe('Container of its pods'),
};

/** What became of an object: one line per change, none when it was so already. */
export const changed = z.object({ changed: z.boolean(), changes: z.array(z.string()) });

/** The workload as it is now. @throws NotFound, Forbidden, Unavailable */
export async function readWorkload(
  context: ActionContext,
  { kind, name }: WorkloadReference,
): Promise<Kinds[WorkloadKind]> {
  return (await context.cluster()).read(kind, context.place.environment.namespace, name);
}

/** A container of a workload, and the JSON Pointer to it. @throws NotFound naming the containers there are */
export function containerOf(
  workload: Deployment,
  { kind, name, container }: WorkloadReference & { container: string },
): { container: Container; path: (...parts: string[]) => string } {
  const { containers } = workload.spec.template.spec;
  const index = containers.findIndex((each) => each.name === container);
  const found = containers[index];
  if (!found) {
    const names = containers.map((each) => each.name).join(', ');
    throw failure('NotFound', `${kind} ${name} has no container ${container}; it has ${names}.`);
  }
  const at = (...parts: string[]) => pointer('spec', 'template', 'spec', 'containers', String(index), ...parts);
  return { container: found, path: at };
}

interface WorkloadAction<Parameters extends z.ZodType> {
  name: string;
  description: string;
  parameters: Parameters;
  example: z.input<Parameters>;
  /** Pure. @param key of the step, the same for every attempt */
  decide: (workload: Kinds[WorkloadKind], parameters: z.output<Parameters>, key: string) => Change | undefined;
}

/** An action that changes one workload, convergently, and returns what it changed. */
export function defineWorkloadAction<Parameters extends z.ZodType<WorkloadReference>>({
  decide,
  ...rest
}: WorkloadAction<Parameters>): Action<Parameters, z.output<typeof changed>> {
  return defineAction({
    ...rest,
    group: 'kubernetes',
    output: changed,
    changes: 'convergent',
    plan: (context, parameters) =>
      planChange(context, parameters, (workload) => decide(workload, parameters, context.key)),
    async run(context, parameters) {
      const { lines } = await changeObject(context, parameters, (workload) =>
        decide(workload, parameters, context.key),
      );
      return { changed: lines.length > 0, changes: lines };
    },
  });
}
