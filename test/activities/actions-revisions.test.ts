import { createClusterActionBench, type ActionBench } from '../support/action-bench.ts';
import {
  adminCluster,
  createTestNamespace,
  deployReadySample,
  kubectl,
  type TestNamespace,
} from '../support/namespace.ts';

// What a Deployment was before, and the way back to it. kubectl sees the same.
const image = (tag: string) => `docker.io/windlass/sample:${tag}`;
let namespace: TestNamespace;
let bench: ActionBench;

beforeAll(async () => {
  namespace = await createTestNamespace({ capability: 'operate' });
  bench = createClusterActionBench(namespace.name);
  await deployReadySample({ namespace: namespace.name });
}, 120_000);
afterAll(async () => namespace?.remove());

const shop = (...args: string[]) => kubectl('-n', namespace.name, ...args);
const setImage = async (tag: string): Promise<void> => {
  await shop('set', 'image', 'deployment/shop', `app=${image(tag)}`);
  await rolledOut();
};
const rolledOut = () => shop('rollout', 'status', 'deployment/shop', '--timeout=90s');
const read = () => adminCluster().read('Deployment', namespace.name, 'shop');
const list = () => bench.run('listRevisions', { name: 'shop' });

test('a Deployment that was never changed has one revision, and no way back', async () => {
  expect(await list()).toMatchObject({ count: 1, current: 1, former: 0, images: image('v1'), formerImages: '' });
  await expect(bench.run('undoRollout', { name: 'shop' })).rejects.toMatchObject({
    type: 'NotFound',
    message: 'Deployment shop has no former revision; it has 1.',
  });
  await expect(bench.run('listRevisions', { name: 'absent' })).rejects.toMatchObject({ type: 'NotFound' });
});

test('listRevisions tells what kubectl rollout history tells, and which one serves', async () => {
  await setImage('v2');
  const { revisions, ageSeconds, ...told } = await list();
  expect(told).toMatchObject({ count: 2, current: 2, former: 1, images: image('v2'), formerImages: image('v1') });
  expect(revisions).toMatchObject([
    { revision: 2, images: { app: image('v2') }, replicas: 1, current: true },
    { revision: 1, images: { app: image('v1') }, replicas: 0, current: false },
  ]);
  expect(ageSeconds).toBeLessThan(120);
  const history = (await shop('rollout', 'history', 'deployment/shop')).match(/^\d+/gm);
  expect(history!.map(Number).reverse()).toEqual(revisions.map(({ revision }: { revision: number }) => revision));
}, 120_000);

test('undoRollout gives it the former template once per step, and its undo brings the newer one back', async () => {
  const key = 'undo';
  const { lines, undo } = await bench.plan('undoRollout', { name: 'shop' }, { key });
  expect(lines).toEqual([`Deployment shop: revision 2 (${image('v2')}) → 1 (${image('v1')})`]);
  const before = await read();
  expect(before.spec.template.spec.containers[0]!.image).toBe(image('v2'));

  expect(await bench.run('undoRollout', { name: 'shop' }, { key })).toEqual({ changed: true, changes: lines });
  // Another attempt: the former revision would now be the one that was left.
  expect(await bench.run('undoRollout', { name: 'shop' }, { key })).toEqual({ changed: false, changes: [] });
  await rolledOut();
  const after = await read();
  expect(after.metadata.generation).toBe(before.metadata.generation! + 1);
  expect(after.spec.template.spec.containers[0]!.image).toBe(image('v1'));
  expect(after.spec.template.metadata!.labels).toEqual({ app: 'shop' });
  expect(await list()).toMatchObject({ current: 3, former: 2, images: image('v1') });

  await bench.run(undo!.action, undo!.with);
  await rolledOut();
  expect((await read()).spec.template.spec.containers[0]!.image).toBe(image('v2'));
}, 120_000);

test('undoRollout goes to the revision that is named, and refuses one that is not kept, and a paused rollout', async () => {
  const { revisions, current } = await list();
  const oldest = revisions.at(-1).revision as number;
  await expect(bench.run('undoRollout', { name: 'shop', toRevision: 99 })).rejects.toMatchObject({
    type: 'NotFound',
    message: expect.stringMatching(/^Deployment shop has no revision 99; it has \d+, \d+\.$/),
  });
  await shop('rollout', 'pause', 'deployment/shop');
  await expect(bench.run('undoRollout', { name: 'shop' })).rejects.toMatchObject({ type: 'Refused' });
  await shop('rollout', 'resume', 'deployment/shop');
  await rolledOut();
  expect((await bench.plan('undoRollout', { name: 'shop', toRevision: current })).lines).toEqual([]);
  await bench.run('undoRollout', { name: 'shop', toRevision: oldest });
  await rolledOut();
  expect((await read()).spec.template.spec.containers[0]!.image).toBe(image('v1'));
}, 120_000);
