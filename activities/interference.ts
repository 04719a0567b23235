import { managersOf } from '../src/domain/release/field-owners.ts';
import type { Deployment, ReplicaSet, Service } from '../src/domain/release/objects.ts';
import { isObserved, labelText, replicaSetOf } from '../src/domain/release/ownership.ts';
import { sameLabels, TEMPLATE_HASH } from '../src/domain/release/selectors.ts';
import { FIELD_MANAGER } from '../src/adapters/kubernetes/cluster.ts';
import type { Dependencies } from './dependencies.ts';
import { fenceOf } from '../src/domain/release/live.ts';
import { assertFence, openTarget } from './guard.ts';
import type { ReleaseActivities } from './release-types.ts';

/** Whether anybody else touches what a release watches. This changes nothing. */
export function createInterferenceActivities({
  kubernetes,
}: Pick<Dependencies, 'kubernetes'>): Pick<ReleaseActivities, 'detectInterference'> {
  return {
    /** @returns foreign changes in words, none when all is as expected. @throws Fenced when our lease is over */
    async detectInterference({ target, token, expect }) {
      const cluster = await openTarget(kubernetes, target);
      const { namespace } = target;
      const [service, deployment, replicaSets] = await Promise.all([
        cluster.find('Service', namespace, target.kubernetesService),
        cluster.find('Deployment', namespace, expect.deployment),
        cluster.list('ReplicaSet', namespace, { labelSelector: labelText(expect.selector) }),
      ]);
      if (!service) return [`Service ${target.kubernetesService} was deleted`];
      if (fenceOf(service.metadata) > token) assertFence(service, token);
      return [
        ...serviceChanges(service, token, expect.selector),
        ...deploymentChanges(deployment, replicaSets, expect),
      ];
    },
  };
}

function serviceChanges({ metadata, spec }: Service, token: number, expected: Record<string, string>): string[] {
  const by = managersOf(metadata.managedFields, 'spec.selector', FIELD_MANAGER);
  return [
    ...(fenceOf(metadata) === token ? [] : [`the fence was removed from Service ${metadata.name}`]),
    ...(sameLabels(spec.selector ?? {}, expected)
      ? []
      : [
          `Service ${metadata.name} selects ${labelText(spec.selector ?? {}) || 'nothing'}, expected ${labelText(expected)}${by.length > 0 ? ` (written by ${by.join(', ')})` : ''}`,
        ]),
  ];
}

function deploymentChanges(
  deployment: Deployment | undefined,
  replicaSets: ReplicaSet[],
  expect: { deployment: string; uid: string; templateHash: string },
): string[] {
  const name = expect.deployment;
  if (!deployment) return [`Deployment ${name} was deleted`];
  if (deployment.metadata.uid !== expect.uid) return [`Deployment ${name} was replaced by another one`];
  const changes: string[] = [];
  const { metadata, spec } = deployment;
  const hash = replicaSetOf(deployment, replicaSets)?.metadata.labels?.[TEMPLATE_HASH];
  const by = managersOf(metadata.managedFields, 'spec.template', FIELD_MANAGER);
  // Until the controller has seen the newest spec its ReplicaSet is not known; the next look tells.
  if (hash !== undefined && hash !== expect.templateHash && isObserved(deployment))
    changes.push(`the pod template of ${name} was changed${by.length > 0 ? ` by ${by.join(', ')}` : ''}`);
  if (spec.replicas === 0) changes.push(`${name} was scaled to 0`);
  return changes;
}
