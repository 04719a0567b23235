import { randomBytes } from 'node:crypto';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { createClusterActionBench, type ActionBench } from '../support/action-bench.ts';
import {
  adminCluster,
  apply,
  createTestNamespace,
  kubectl,
  sampleContainer,
  type TestNamespace,
} from '../support/namespace.ts';

// A node of its own, that no kubelet stands behind: draining the only real one would end every other test. The API
// server, its eviction and the controller of disruption budgets are the real ones; what a kubelet would say of the pods
// is said by the test.
const node = `test-${randomBytes(4).toString('hex')}`;
let namespace: TestNamespace;
let bench: ActionBench;

beforeAll(async () => {
  namespace = await createTestNamespace({ capability: 'operate' });
  bench = createClusterActionBench(namespace.name);
  const taints = [{ key: 'windlass.dev/test', effect: 'NoSchedule' }];
  await apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: node }, spec: { taints } });
}, 60_000);
afterAll(async () => {
  await kubectl('delete', 'node', node, '--ignore-not-found');
  await namespace?.remove();
});
afterEach(async () => {
  await kubectl('-n', namespace.name, 'delete', 'replicaset,pdb,pod', '--all', '--force', '--grace-period=0');
  await kubectl('uncordon', node);
});

const isCordoned = async () => Boolean((await adminCluster().read('Node', '', node)).spec.unschedulable);
const pods = () => adminCluster().list('Pod', namespace.name, { fieldSelector: `spec.nodeName=${node}` });

/** Pods on the node, made by a ReplicaSet, that say they are ready. */
async function place(replicas: number, pod: object = {}): Promise<void> {
  const labels = { app: 'placed' };
  await apply({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'placed', namespace: namespace.name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { nodeName: node, terminationGracePeriodSeconds: 0, containers: [sampleContainer('v1')], ...pod },
      },
    },
  });
  await waitFor('the pods', async () => (await pods()).length === replicas, { timeoutSeconds: 20 });
  await sayReady();
}

async function sayReady(): Promise<void> {
  const now = new Date().toISOString();
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: now }];
  const status = JSON.stringify({ status: { phase: 'Running', startTime: now, conditions } });
  for (const { metadata } of await pods())
    await kubectl(
      '-n',
      namespace.name,
      'patch',
      'pod',
      metadata.name,
      '--subresource=status',
      '--type=merge',
      '-p',
      status,
    );
}

/** So that what is evicted does not come back at once: no scheduler decides here, the template names the node. */
const stopReplacing = () => kubectl('-n', namespace.name, 'delete', 'replicaset', 'placed', '--cascade=orphan');

test('cordonNode and uncordonNode close and open a node, and each takes the other back', async () => {
  const { lines, undo } = await bench.plan('cordonNode', { node });
  expect(lines).toEqual([`Node ${node}: takes no new pods`]);
  expect(undo).toEqual({ action: 'uncordonNode', with: { node } });
  expect(await isCordoned()).toBe(false);
  expect(await bench.run('cordonNode', { node }, { key: 'cordon' })).toEqual({ changed: true, changes: lines });
  expect(await isCordoned()).toBe(true);
  expect(await bench.run('cordonNode', { node }, { key: 'cordon' })).toEqual({ changed: false, changes: [] });
  await bench.run('uncordonNode', { node });
  expect(await isCordoned()).toBe(false);
});

test('drainNode closes the node and evicts its pods; again it finds nothing to do', async () => {
  await place(2);
  const { lines, undo } = await bench.plan('drainNode', { node });
  expect(lines).toEqual([
    `Node ${node}: takes no new pods`,
    ...(await pods()).map(({ metadata }) => `pod ${namespace.name}/${metadata.name} is evicted`),
  ]);
  expect(undo).toEqual({ action: 'uncordonNode', with: { node } });
  await stopReplacing();
  expect(await bench.run('drainNode', { node, loss: true }, { key: 'drain' })).toEqual({ evicted: 2, stayed: 0 });
  expect(await isCordoned()).toBe(true);
  expect(await pods()).toEqual([]);
  expect(await bench.run('drainNode', { node }, { key: 'drain' })).toEqual({ evicted: 0, stayed: 0 });
}, 60_000);

test('a disruption budget is waited out, and not longer than it shall', async () => {
  await place(2);
  await stopReplacing();
  const selector = { matchLabels: { app: 'placed' } };
  const budget = (minAvailable: number) =>
    apply({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'strict', namespace: namespace.name },
      spec: { minAvailable, selector },
    });
  await budget(2);
  const allows = async (n: number) =>
    (await kubectl(
      '-n',
      namespace.name,
      'get',
      'pdb',
      'strict',
      '-o',
      'jsonpath={.status.currentHealthy}/{.status.disruptionsAllowed}',
    )) === `2/${n}`;
  await waitFor('the budget', () => allows(0), { timeoutSeconds: 30 });
  const late = bench.run('drainNode', { node, loss: true, within: '1s' });
  await expect(late).rejects.toMatchObject({
    type: 'TimedOut',
    message: expect.stringMatching(/budget strict needs 2/),
  });
  expect(await pods()).toHaveLength(2);

  let beats = 0;
  const onHeartbeat = () => {
    if (++beats === 4) void budget(0);
  };
  expect(await bench.run('drainNode', { node, loss: true }, { onHeartbeat })).toEqual({ evicted: 2, stayed: 0 });
  expect(beats).toBeGreaterThanOrEqual(4);
  expect(await pods()).toEqual([]);
}, 90_000);

test.each([
  ['nothing makes again', async () => (await place(1), await stopReplacing()), 'has no controller that makes it again'],
  [
    'lose data',
    () => place(1, { volumes: [{ name: 'scratch', emptyDir: {} }] }),
    'loses its volume scratch (emptyDir)',
  ],
])(
  'pods that %s are not evicted unless that is meant',
  async (_what, prepare, why) => {
    await prepare();
    for (const call of [bench.plan, bench.run])
      await expect(call('drainNode', { node })).rejects.toMatchObject({
        type: 'Refused',
        message: expect.stringContaining(why),
      });
    expect(await isCordoned()).toBe(false);
    expect(await pods()).toHaveLength(1);
  },
  60_000,
);

test('checkNodes tells a node that is not ready apart from those that are well', async () => {
  const { ok, faults, nodes } = await bench.run('checkNodes', {});
  expect([ok, faults]).toEqual([false, [`node ${node} is not ready`]]);
  const names = (await adminCluster().list('Node', undefined)).map(({ metadata }) => metadata.name);
  expect(nodes.map(({ name }: { name: string }) => name)).toEqual(names);
  await expect(bench.run('checkNodes', { orFail: true })).rejects.toMatchObject({ type: 'ChecksFailed' });
});
