import {
  adminCluster,
  apply,
  createTestNamespace,
  deployReadySample,
  type TestNamespace,
} from '../support/namespace.ts';
import { createBench, recordOf, type Bench } from '../support/release.ts';
import type { ReleasePlan } from '../../src/domain/release/plan-types.ts';

// A release of a service with an autoscaler and a disruption budget of its own.
const TOKEN = 4;
let namespace: TestNamespace;
let bench: Bench;
let plan: ReleasePlan;
const fenced = () => ({ target: plan.target, token: TOKEN });
const autoscalers = async () =>
  Object.fromEntries(
    (await adminCluster().list('HorizontalPodAutoscaler', namespace.name)).map(({ metadata, spec }) => [
      metadata.name,
      [spec.scaleTargetRef.name, spec.minReplicas],
    ]),
  );
const budgets = async () =>
  (await adminCluster().list('PodDisruptionBudget', namespace.name)).map(({ metadata }) => metadata.name);

beforeAll(async () => {
  namespace = await createTestNamespace({ capability: 'deploy' });
  await deployReadySample({ namespace: namespace.name, replicas: 2 });
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' };
  await apply(
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'shop-scaling', namespace: namespace.name },
      spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 4 },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'shop-budget', namespace: namespace.name },
      spec: {
        minAvailable: 1,
        selector: { matchExpressions: [{ key: 'version', operator: 'DoesNotExist' }], matchLabels: { app: 'shop' } },
      },
    },
  );
  bench = createBench(namespace.name);
  plan = await bench.draft('v2');
}, 120_000);
afterAll(async () => namespace?.remove());

test('the color gets its own autoscaler, kept at its size, and its own budget', async () => {
  await bench.act.claimTarget(fenced());
  await bench.act.narrowService({ ...fenced(), from: { app: 'shop' }, to: plan.narrowTo! });
  await bench.act.createColor({ plan, token: TOKEN, createdBy: 'deploy/test' });
  expect(await autoscalers()).toEqual({ 'shop-scaling': ['shop', 1], 'shop-green': ['shop-green', 2] });
  expect(await budgets()).toEqual(['shop-budget', 'shop-green']);
});

test('what a dead procedure left beside a color is replaced by the one that took over', async () => {
  const { metadata } = await adminCluster().read('HorizontalPodAutoscaler', namespace.name, 'shop-green');
  await adminCluster().patch('HorizontalPodAutoscaler', namespace.name, 'shop-green', [
    { op: 'replace', path: '/metadata/annotations/windlass.dev~1created-by', value: 'deploy/dead' },
  ]);
  await bench.act.createColor({ plan, token: TOKEN, createdBy: 'deploy/test' });
  const now = await adminCluster().read('HorizontalPodAutoscaler', namespace.name, 'shop-green');
  expect(now.metadata.uid).not.toBe(metadata.uid);
  expect(now.metadata.annotations).toHaveProperty(['windlass.dev/created-by'], 'deploy/test');
});

test('an autoscaler that no release made is never replaced', async () => {
  await adminCluster().patch('HorizontalPodAutoscaler', namespace.name, 'shop-green', [
    { op: 'remove', path: '/metadata/annotations/windlass.dev~1created-by' },
  ]);
  await expect(bench.act.createColor({ plan, token: TOKEN, createdBy: 'deploy/test' })).rejects.toMatchObject({
    type: 'Interfered',
    message: expect.stringContaining('HorizontalPodAutoscaler shop-green'),
  });
});

test('a good release may shrink to its own minimum again', async () => {
  await bench.act.awaitRollout({ target: plan.target, deployment: 'shop-green', timeoutMs: 60_000 });
  const [from, to] = [recordOf(plan.from, 'good'), recordOf(plan.to)];
  const how = { expect: plan.from.selector, previousOutcome: 'good' as const, requireReady: 2 };
  await bench.act.switchTraffic({ ...fenced(), ...how, record: to, previous: from });
  await bench.act.recordOutcome({ ...fenced(), deployment: 'shop-green', outcome: 'good' });
  expect(await autoscalers()).toMatchObject({ 'shop-green': ['shop-green', 1] });
}, 90_000);

test('retiring a color takes its autoscaler and its budget along, and no other', async () => {
  const removal = { ...fenced(), deployment: 'shop', unlessSelected: true as const };
  expect(await bench.act.removeColor({ ...removal, uid: plan.from.uid! })).toMatchObject({ removed: true });
  expect(Object.keys(await autoscalers())).toEqual(['shop-green']);
  expect(await budgets()).toEqual(['shop-green']);
}, 60_000);
