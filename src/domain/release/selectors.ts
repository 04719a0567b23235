import type { Target } from '../../contracts/catalog.ts';
import type { LiveDeployment, LiveService } from './state.ts';

type Labels = Record<string, string>;

/** Label that a ReplicaSet puts on its pods; the one thing that tells a Deployment's pods apart without a color. */
export const TEMPLATE_HASH = 'pod-template-hash';

export const selects = (selector: Labels, labels: Labels): boolean =>
  Object.keys(selector).length > 0 && Object.entries(selector).every(([key, value]) => labels[key] === value);

/** Labels of a Deployment's current pods, the ReplicaSet's own included. */
export const labelsOf = (deployment: LiveDeployment): Labels => ({
  ...deployment.podLabels,
  ...(deployment.templateHash ? { [TEMPLATE_HASH]: deployment.templateHash } : {}),
});

/** The Deployments whose current pods the Service selects. */
export const servingDeployments = (live: LiveService): LiveDeployment[] =>
  live.deployments.filter((deployment) => selects(live.selector, labelsOf(deployment)));

export const sameLabels = (a: Labels, b: Labels): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => b[key] === value);

/** The command that points the Service at a selector by hand, for when nothing else answers. */
export function escapeCommand(target: Target, selector: Labels): string {
  const patch = JSON.stringify([{ op: 'replace', path: '/spec/selector', value: selector }]);
  return `kubectl --context ${target.context} -n ${target.namespace} patch service ${target.kubernetesService} --type json -p '${patch}'`;
}
