import { failure } from '../../adapters/failure.ts';
import type { Deployment } from '../../domain/release/objects.ts';
import { labelText } from '../../domain/release/ownership.ts';
import { isSettled, revisionsOf, type Revision } from '../../domain/release/revisions.ts';
import type { ActionContext } from '../action.ts';

/**
 * A Deployment and its revisions, the newest first; there is always one.
 * @throws NotFound, Forbidden; Unavailable while its controller has not seen the newest template: in a moment it has
 */
export async function readRevisions(
  context: ActionContext,
  name: string,
): Promise<{ deployment: Deployment; revisions: Revision[] }> {
  const cluster = await context.cluster();
  const { namespace } = context.place.environment;
  const deployment = await cluster.read('Deployment', namespace, name);
  const labelSelector = labelText(deployment.spec.selector.matchLabels ?? {});
  const replicaSets = await cluster.list('ReplicaSet', namespace, { labelSelector });
  const revisions = revisionsOf(deployment, replicaSets);
  if (isSettled(deployment, revisions)) return { deployment, revisions };
  throw failure('Unavailable', `Deployment ${name} is being changed: its newest revision is not known yet.`);
}
