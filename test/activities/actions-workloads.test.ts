import { MARKS } from '../../src/domain/release/state.ts';
import { createClusterActionBench, type ActionBench } from '../support/action-bench.ts';
import { slice } from '../support/live.ts';
import {
  adminCluster,
  apply,
  createTestNamespace,
  kubectl,
  sampleContainer,
  sampleManifests,
  type TestNamespace,
} from '../support/namespace.ts';

// What runbooks change of workloads. It is read back with the admin's own client.
let namespace: TestNamespace;
let bench: ActionBench;
const shop = { name: 'shop' };
const app = { ...shop, container: 'app' };

beforeAll(async () => {
  namespace = await createTestNamespace({ capability: 'operate' });
  const labels = { app: 'store' };
  await apply(...sampleManifests({ namespace: namespace.name }), {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'store', namespace: namespace.name },
    spec: {
      replicas: 1,
      serviceName: 'store',
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [sampleContainer('v1')] } },
    },
  });
  bench = createClusterActionBench(namespace.name);
}, 60_000);
afterAll(async () => namespace?.remove());

const read = (name = 'shop') => adminCluster().read('Deployment', namespace.name, name);
const container = async () => (await read()).spec.template.spec.containers[0]!;
/** Rises with every change of the spec. */
const generation = async () => (await read()).metadata.generation;

/**
 * The plan says what comes and touches nothing, the call does it, the same call again does nothing, and the undo of the
 * plan brings back what was.
 */
async function once(
  action: string,
  parameters: object,
  key: string,
): Promise<{ lines: string[]; back(): Promise<void> }> {
  const before = await generation();
  const { lines, undo } = await bench.plan(action, parameters, { key });
  expect(await generation()).toBe(before);
  const result = await bench.run(action, parameters, { key });
  expect(await generation()).toBe(before! + 1);
  expect(await bench.run(action, parameters, { key })).not.toEqual(result);
  expect(await generation()).toBe(before! + 1);
  return { lines, back: async () => void (await bench.run(undo!.action, undo!.with)) };
}

test('scaleWorkload sets the replicas of a Deployment, and its undo sets them back', async () => {
  const { lines, back } = await once('scaleWorkload', { ...shop, replicas: 3 }, 'scale');
  expect(lines).toEqual(['Deployment shop: 1 → 3 replicas']);
  expect((await read()).spec.replicas).toBe(3);
  expect(await bench.run('scaleWorkload', { ...shop, replicas: 2, onlyUp: true })).toEqual({ before: 3, after: 3 });
  await back();
  expect((await read()).spec.replicas).toBe(1);
});

test('scaleWorkload and restartWorkload know StatefulSets too', async () => {
  const store = { kind: 'StatefulSet', name: 'store' };
  const there = () => adminCluster().read('StatefulSet', namespace.name, 'store');
  expect(await bench.run('scaleWorkload', { ...store, replicas: 2 })).toEqual({ before: 1, after: 2 });
  expect((await there()).spec.replicas).toBe(2);
  await bench.run('restartWorkload', store, { key: 'store' });
  expect((await there()).spec.template.metadata?.annotations).toEqual({ 'windlass.dev/restart': 'store' });
});

test('restartWorkload makes a new template once per step, and another step makes another', async () => {
  const { lines } = await once('restartWorkload', shop, 'restart-1');
  expect(lines).toEqual(['Deployment shop: all pods are replaced']);
  const first = (await read()).spec.template.metadata?.annotations;
  expect(first).toMatchObject({ 'prometheus.io/scrape': 'true', 'windlass.dev/restart': 'restart-1' });
  await bench.run('restartWorkload', shop, { key: 'restart-2' });
  expect((await read()).spec.template.metadata?.annotations?.['windlass.dev/restart']).toBe('restart-2');
});

test('setImage sets the image of one container', async () => {
  const image = 'docker.io/windlass/sample:v2';
  const { lines, back } = await once('setImage', { ...app, image }, 'image');
  expect(lines).toEqual([`Deployment shop, container app: image docker.io/windlass/sample:v1 → ${image}`]);
  expect((await container()).image).toBe(image);
  await back();
  expect((await container()).image).toBe('docker.io/windlass/sample:v1');
});

test('setEnv sets literals and references; what was comes back, and was never told', async () => {
  const before = (await container()).env;
  const secret = { name: 'shop-secret', key: 'token' };
  const env = { APP_GREETING: 'hello', API_TOKEN: { secretKeyRef: secret } };
  const { lines, back } = await once('setEnv', { ...app, env }, 'env');
  expect(lines).toEqual([
    'Deployment shop, container app: APP_GREETING = hello (had another value)',
    'Deployment shop, container app: API_TOKEN from key token of Secret shop-secret (was not set)',
  ]);
  expect((await container()).env).toEqual([
    before![0],
    { name: 'APP_GREETING', value: 'hello' },
    { name: 'API_TOKEN', valueFrom: { secretKeyRef: secret } },
  ]);
  const { undo } = await bench.plan('setEnv', { ...app, env: { APP_GREETING: 'other' } }, { key: 'other' });
  expect(JSON.stringify(undo)).not.toContain('hello');
  await back();
  expect((await container()).env).toEqual(before);
  expect((await read()).metadata.annotations).not.toHaveProperty(['windlass.dev/former-env']);
});

test('setResources changes what is named and leaves the rest', async () => {
  const wanted = { ...app, requests: { cpu: '20m' }, limits: { memory: '256Mi' } };
  const { lines, back } = await once('setResources', wanted, 'resources');
  expect(lines).toEqual([
    'Deployment shop, container app: requests.cpu 10m → 20m',
    'Deployment shop, container app: limits.memory 192Mi → 256Mi',
  ]);
  expect((await container()).resources).toEqual({
    requests: { cpu: '20m', memory: '48Mi' },
    limits: { memory: '256Mi' },
  });
  await back();
  expect((await container()).resources).toEqual({
    requests: { cpu: '10m', memory: '48Mi' },
    limits: { memory: '192Mi' },
  });
});

test('patchProbe changes the patience of a probe and not what it asks', async () => {
  const asks = { httpGet: { path: '/ready', port: 'http', scheme: 'HTTP' } };
  const wanted = { ...app, probe: 'readiness', failureThreshold: 9, initialDelaySeconds: 4 };
  const { back } = await once('patchProbe', wanted, 'probe');
  expect((await container()).readinessProbe).toMatchObject({ ...asks, failureThreshold: 9, initialDelaySeconds: 4 });
  await back();
  const { readinessProbe } = await container();
  expect(readinessProbe).toMatchObject({ ...asks, failureThreshold: 3, periodSeconds: 1 });
  expect(readinessProbe?.initialDelaySeconds ?? 0).toBe(0);
  await expect(bench.run('patchProbe', { ...app, probe: 'liveness', periodSeconds: 5 })).rejects.toMatchObject({
    type: 'NotFound',
    message: expect.stringContaining('has no liveness probe'),
  });
});

test('a container that is not there is named, with those that are', async () => {
  await expect(bench.run('setImage', { ...shop, container: 'web', image: 'shop:v1' })).rejects.toMatchObject({
    type: 'NotFound',
    message: 'Deployment shop has no container web; it has app.',
  });
});

test('setAutoscaler sets the bounds, and refuses a minimum over the maximum', async () => {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' };
  const metadata = { name: 'shop', namespace: namespace.name };
  const spec = { scaleTargetRef, minReplicas: 1, maxReplicas: 4 };
  await apply({ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata, spec });
  const bounds = async () => {
    const { minReplicas, maxReplicas } = (await adminCluster().read('HorizontalPodAutoscaler', namespace.name, 'shop'))
      .spec;
    return [minReplicas, maxReplicas];
  };
  const wanted = { ...shop, minReplicas: 2, maxReplicas: 6 };
  const { lines, undo } = await bench.plan('setAutoscaler', wanted);
  expect(lines).toEqual(['autoscaler shop: minReplicas 1 → 2', 'autoscaler shop: maxReplicas 4 → 6']);
  expect(await bench.run('setAutoscaler', wanted)).toEqual({ minReplicas: 2, maxReplicas: 6 });
  expect(await bounds()).toEqual([2, 6]);
  await bench.run(undo!.action, undo!.with);
  expect(await bounds()).toEqual([1, 4]);
  await expect(bench.run('setAutoscaler', { ...shop, minReplicas: 5 })).rejects.toMatchObject({ type: 'InvalidInput' });
  expect(await bounds()).toEqual([1, 4]);
  await kubectl('-n', namespace.name, 'delete', 'hpa', 'shop');
});

test('deletePod deletes exactly the pod that is meant', async () => {
  const manifest = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: namespace.name },
    spec: { terminationGracePeriodSeconds: 0, containers: [sampleContainer('v1')] },
  });
  await apply(manifest('lonely'));
  const find = () => adminCluster().find('Pod', namespace.name, 'lonely');
  const { uid } = (await find())!.metadata;
  expect((await bench.plan('deletePod', { name: 'lonely', uid })).lines).toEqual([`pod lonely (${uid}) is deleted`]);
  expect(await bench.run('deletePod', { name: 'lonely', uid }, { key: 'delete' })).toEqual({ deleted: true });
  await kubectl('-n', namespace.name, 'wait', '--for=delete', 'pod/lonely', '--timeout=30s');
  await apply(manifest('lonely'));
  expect(await bench.run('deletePod', { name: 'lonely', uid }, { key: 'delete' })).toEqual({ deleted: false });
  expect((await find())!.metadata.uid).not.toBe(uid);
});

test('a step whose lease is over changes nothing', async () => {
  await kubectl('-n', namespace.name, 'annotate', 'service', 'shop', `${MARKS.fence}=7`, '--overwrite');
  const service = { service: 'shop', spec: slice().spec };
  const fenced = createClusterActionBench(namespace.name, { service, token: 6 });
  const before = await generation();
  for (const [action, parameters] of [
    ['scaleWorkload', { ...shop, replicas: 9 }],
    ['restartWorkload', shop],
    ['setImage', { ...app, image: 'docker.io/windlass/sample:v9' }],
  ] as const)
    await expect(fenced.run(action, parameters)).rejects.toMatchObject({ type: 'Fenced' });
  expect(await generation()).toBe(before);
  const held = createClusterActionBench(namespace.name, { service, token: 7 });
  expect(await held.run('scaleWorkload', { ...shop, replicas: 2 })).toEqual({ before: 1, after: 2 });
});
