import { z } from 'zod';
import { kubernetesName } from '../../contracts/catalog-parts.ts';
import { labelText, workloadOf } from '../../domain/release/ownership.ts';
import type { Pod } from '../../domain/release/objects.ts';
import { failure } from '../../adapters/failure.ts';
import type { ActionContext } from '../action.ts';

/** How an action names pods: those of a workload, or by labels, or one. */
export const podSelection = {
  workload: kubernetesName.optional().describe('Pods of this Deployment or StatefulSet'),
  labels: z.record(z.string(), z.string()).optional().describe('Pods that have all of these labels'),
  pod: kubernetesName.optional().describe('The pod of this name'),
};

export interface PodSelection {
  workload?: string | undefined;
  labels?: Record<string, string> | undefined;
  pod?: string | undefined;
}

/** The pods that are meant, by name; without any selection all of the namespace. @throws Forbidden, Unavailable */
export async function selectPods(context: ActionContext, selection: PodSelection): Promise<Pod[]> {
  const cluster = await context.cluster();
  const pods = await cluster.list('Pod', context.place.environment.namespace, {
    ...(selection.labels ? { labelSelector: labelText(selection.labels) } : {}),
    ...(selection.pod ? { fieldSelector: `metadata.name=${selection.pod}` } : {}),
  });
  const { workload } = selection;
  const meant = workload ? pods.filter((pod) => [workload, `StatefulSet/${workload}`].includes(workloadOf(pod))) : pods;
  return meant.sort((a, b) => a.metadata.name.localeCompare(b.metadata.name));
}

/** As `selectPods`. @throws NotFound when there are none */
export async function selectSomePods(context: ActionContext, selection: PodSelection): Promise<Pod[]> {
  const pods = await selectPods(context, selection);
  if (pods.length > 0) return pods;
  const { pod, workload, labels } = selection;
  const meant = pod ?? workload ?? (labels ? labelText(labels) : 'any');
  throw failure('NotFound', `no pods of ${meant} are in namespace ${context.place.environment.namespace}.`);
}
