import type { Target } from '../src/contracts/catalog.ts';
import type { Service } from '../src/domain/release/objects.ts';
import type { Cluster } from '../src/adapters/kubernetes/cluster.ts';
import { annotate, pointer, test, testUnchanged, type Operation } from '../src/adapters/kubernetes/json-patch.ts';
import type { KubernetesClients } from '../src/adapters/kubernetes/clients.ts';
import { failure } from '../src/adapters/failure.ts';
import { fenceOf } from '../src/domain/release/live.ts';
import { MARKS } from '../src/domain/release/state.ts';
import type { Fenced } from './release-types.ts';

/** Somebody else writes the object at the same time; after so many rounds the activity gives up and is tried again. */
const ROUNDS = 5;

/** The cluster of a target. @throws WrongCluster when its context points elsewhere than it was planned for */
export async function openTarget(clients: KubernetesClients, target: Target): Promise<Cluster> {
  const cluster = clients.connect(target.context);
  await verifyCluster(cluster, target);
  return cluster;
}

export async function verifyCluster(
  cluster: Cluster,
  { context, clusterUid }: Pick<Target, 'context' | 'clusterUid'>,
): Promise<void> {
  if (clusterUid === undefined) return;
  const uid = await cluster.identity();
  if (uid === clusterUid) return;
  throw failure(
    'WrongCluster',
    `Context ${context} points at cluster ${uid}, expected ${clusterUid} (UID of its kube-system namespace): correct the kubeconfig or the catalog.`,
  );
}

/** The Service as it is now, still under our token. @throws NotFound, Fenced, Interfered */
export async function readFenced(cluster: Cluster, { target, token }: Fenced): Promise<Service> {
  const service = await cluster.read('Service', target.namespace, target.kubernetesService);
  assertFence(service, token);
  return service;
}

/**
 * A newer token means that our lease is over and another procedure decides. A missing or older one means that somebody
 * took ours away: nothing we know of the Service holds any more.
 */
export function assertFence({ metadata }: Service, token: number): void {
  const fence = fenceOf(metadata);
  if (fence === token) return;
  const where = `Service ${metadata.name} in namespace ${metadata.namespace}`;
  if (fence > token)
    throw failure('Fenced', `${where} carries token ${fence}, ours is ${token}: another procedure took it over.`, [
      { fence, token },
    ]);
  throw failure(
    'Interfered',
    `${where} carries ${fence === 0 ? 'no token' : `token ${fence}`}, ours is ${token}: somebody replaced it or removed annotation ${MARKS.fence}.`,
  );
}

/** Puts the token on the Service, unless a newer one is there. Nothing but the fence changes. */
export async function raiseFence(cluster: Cluster, { target, token }: Fenced): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const service = await cluster.read('Service', target.namespace, target.kubernetesService);
    const { metadata } = service;
    if (fenceOf(metadata) >= token) return assertFence(service, token);
    const raise = [testUnchanged(metadata), ...annotate(metadata, { [MARKS.fence]: String(token) })];
    if (await cluster.patch('Service', metadata.namespace, metadata.name, raise)) return;
  }
  throw contested(target);
}

/**
 * Changes the Service under the fence: reads it anew, lets `decide` say what to do, and tests the fence in the patch
 * itself, so that an activity that outlived its lease changes nothing however late its request arrives.
 * @param decide operations, tests among them; none when it is done already; throws when it must not be done
 * @param first the Service as it was read a moment ago, to save that round trip
 */
export async function changeService(
  cluster: Cluster,
  { target, token }: Fenced,
  decide: (service: Service) => Operation[],
  first?: Service,
): Promise<Service> {
  for (let round = 0; round < ROUNDS; round++) {
    const service = round === 0 && first ? first : await readFenced(cluster, { target, token });
    assertFence(service, token);
    const operations = decide(service);
    if (operations.length === 0) return service;
    const { name, namespace } = service.metadata;
    const patched = await cluster.patch('Service', namespace, name, [testFence(token), ...operations]);
    if (patched) return patched;
  }
  throw contested(target);
}

const testFence = (token: number): Operation => test(pointer('metadata', 'annotations', MARKS.fence), String(token));

const contested = ({ kubernetesService, namespace }: Target) =>
  failure(
    'Unavailable',
    `Service ${kubernetesService} in namespace ${namespace} is being changed by others all the time.`,
  );
