import type { KubernetesObject } from '@kubernetes/client-node';
import { endMatching } from '../../../scripts/end-matching.ts';
import type { Bench } from './bench.ts';
import type { DatabaseSetting } from './databases.ts';
import type { Setting } from './setting.ts';

/** A namespace in which a scenario can begin. */
export interface Stage {
  environment: string;
  /** Of its Service. */
  address: string;
}

/**
 * Creates the namespace of an environment with its objects, and its database when one is asked for, and waits until it
 * serves.
 */
export async function prepareStage(
  { cluster, databases }: Bench,
  environment: string,
  setting: Setting,
  database?: DatabaseSetting,
): Promise<Stage> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: environment } };
  await cluster.create([namespace, bindingOf(environment), ...setting(environment)]);
  if (database) await databases.prepare(environment, database);
  return { environment, address: await cluster.ready(environment) };
}

/** Ends what outlives a procedure by design (retirement, review, change control) and lets the namespace go. */
export async function leaveStage({ client, cluster, databases }: Bench, environment: string): Promise<void> {
  const query = `OpsEnvironment = "${environment}" AND ExecutionStatus = "Running"`;
  await endMatching(client, query, 'the run is over');
  await databases.forget(environment);
  await cluster.forget(environment).catch(() => undefined);
}

/** The worker's shipped permissions, in this namespace. */
const bindingOf = (namespace: string): KubernetesObject & Record<string, unknown> => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { name: 'windlass-worker', namespace },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'windlass-worker' },
  subjects: [{ kind: 'ServiceAccount', name: 'windlass-worker', namespace: 'windlass' }],
});
