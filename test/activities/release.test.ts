import {
  kubectl,
  createTestNamespace,
  deployReadySample,
  adminCluster,
  type TestNamespace,
} from '../support/namespace.ts';
import { createBench, recordOf, type Bench } from '../support/release.ts';
import type { ReleasePlan } from '../../src/domain/release/plan-types.ts';

// One release from adoption to retirement, step by step on the real cluster; each test goes on where the last one ended.
const TOKEN = 7;
let namespace: TestNamespace;
let bench: Bench;
let plan: ReleasePlan;

const service = () => adminCluster().read('Service', namespace.name, 'shop');
const fenced = () => ({ target: plan.target, token: TOKEN });
const endpoints = async () => (await bench.act.observeTraffic({ target: plan.target, deployment: 'shop' })).ready;
const colorRequest = () => ({ plan, token: TOKEN, createdBy: 'deploy/test' });

beforeAll(async () => {
  namespace = await createTestNamespace({ capability: 'deploy' });
  await deployReadySample({ namespace: namespace.name, replicas: 2 });
  bench = createBench(namespace.name);
}, 120_000);
afterAll(async () => namespace?.remove());

test('a plan shows each change as the API server would make it, and changes nothing', async () => {
  const before = await kubectl('-n', namespace.name, 'get', 'all,pdb,hpa', '-o', 'name');
  plan = await bench.draft('v2');

  expect(plan.refusals).toEqual([]);
  expect(plan.changes.map(({ verb, kind, name }) => `${verb} ${kind} ${name}`)).toEqual([
    'patch Service shop',
    'create Deployment shop-green',
    'create Service shop-preview',
    'patch Service shop',
    'delete Service shop-preview',
    'delete Deployment shop',
  ]);
  const [narrow, create] = plan.changes;
  expect(narrow!.diff).toContain(`+    pod-template-hash: ${plan.from.templateHash}`);
  expect(create!.diff).toMatch(/-\s+image: .*sample:v1\n\+\s+image: .*sample:v2/);
  expect(create!.diff).not.toContain('literal-not-to-be-shown');
  expect(plan.target.clusterUid).toBe(await adminCluster().identity());
  expect(await kubectl('-n', namespace.name, 'get', 'all,pdb,hpa', '-o', 'name')).toBe(before);
});

test('the digest of a plan is the same until what it was made from changes', async () => {
  expect((await bench.draft('v2')).digest).toBe(plan.digest);
  expect((await bench.draft('v5')).digest).not.toBe(plan.digest);
});

test('the fence goes up, and claiming again with the same token changes nothing', async () => {
  await bench.act.claimTarget(fenced());
  const { resourceVersion } = (await service()).metadata;
  await bench.act.claimTarget(fenced());
  expect((await service()).metadata.resourceVersion).toBe(resourceVersion);
});

test('narrowing keeps every endpoint and remembers the former selector', async () => {
  const before = await endpoints();
  const change = { ...fenced(), from: { app: 'shop' }, to: plan.narrowTo! };
  await bench.act.narrowService(change);
  await bench.act.narrowService(change);

  const { metadata, spec } = await service();
  expect(spec.selector).toEqual(plan.narrowTo);
  expect(metadata.annotations!['windlass.dev/adopted-selector']).toBe('{"app":"shop"}');
  expect(before).toEqual({ shop: 2 });
  expect(await endpoints()).toEqual({ shop: 2 });
});

test('a new color is created once, ready beside the old one and out of reach of traffic', async () => {
  const { uid } = await bench.act.createColor(colorRequest());
  expect(await bench.act.createColor(colorRequest())).toEqual({ uid });

  const rollout = await bench.act.awaitRollout({ target: plan.target, deployment: 'shop-green', timeoutMs: 60_000 });
  expect(rollout).toMatchObject({ ready: true, uid });
  expect(await endpoints()).toEqual({ shop: 2 });
  const green = await adminCluster().read('Deployment', namespace.name, 'shop-green');
  expect(green.spec.selector.matchLabels).toEqual({ app: 'shop', version: 'green' });
  expect(green.metadata.annotations).not.toHaveProperty(['kubectl.kubernetes.io/last-applied-configuration']);
}, 90_000);

test('the preview Service reaches the new color', async () => {
  const asked = { target: plan.target, spec: bench.slice.spec, via: plan.preview, expectedVersion: '2' };
  // The new endpoints take a moment to be known to the API server's proxy.
  let report = await bench.act.checkHealth(asked);
  for (let tries = 0; !report.version && tries < 50; tries++) report = await bench.act.checkHealth(asked);
  expect(report).toEqual({ healthy: true, version: 'v2', faults: [] });
});

test('a color whose name somebody else has is Interfered', async () => {
  await expect(bench.act.createColor({ ...colorRequest(), createdBy: 'deploy/another' })).rejects.toMatchObject({
    type: 'Interfered',
    message: expect.stringContaining('belongs to deploy/test'),
  });
});

test('a color that serves is not deleted', async () => {
  const { uid } = (await adminCluster().read('Deployment', namespace.name, 'shop')).metadata;
  const removal = { ...fenced(), deployment: 'shop', uid, unlessSelected: true as const };
  await expect(bench.act.removeColor(removal)).rejects.toMatchObject({ type: 'Refused' });
});

test('the wide selector does not come back while it would reach the new color', async () => {
  const widen = { ...fenced(), from: plan.narrowTo!, to: { app: 'shop' } };
  await expect(bench.act.restoreSelector(widen)).rejects.toMatchObject({
    type: 'Refused',
    message: expect.stringContaining('shop-green-'),
  });
});

test('a selector that somebody else changed is Interfered, and stays as it is', async () => {
  await kubectl('-n', namespace.name, 'patch', 'service', 'shop', '-p', '{"spec":{"selector":{"tier":"web"}}}');
  await expect(bench.act.switchTraffic(switchRequest())).rejects.toMatchObject({ type: 'Interfered' });
  expect((await service()).spec.selector).toHaveProperty('tier', 'web');
  await kubectl('-n', namespace.name, 'patch', 'service', 'shop', '-p', '{"spec":{"selector":{"tier":null}}}');
});

test('traffic waits for pods that are not ready', async () => {
  await expect(bench.act.switchTraffic({ ...switchRequest(), requireReady: 3 })).rejects.toMatchObject({
    type: 'Unavailable',
    message: expect.stringContaining('2 of 2 pods of shop-green are ready, 3 are needed'),
  });
});

test('the switch moves all endpoints and records both releases, once', async () => {
  const { switchedAt } = await bench.act.switchTraffic(switchRequest());
  const after = await service();
  const again = await bench.act.switchTraffic(switchRequest());

  expect(again).toEqual({ switchedAt });
  expect((await service()).metadata.resourceVersion).toBe(after.metadata.resourceVersion);
  await bench.act.awaitDrained({ target: plan.target, deployment: 'shop-green', timeoutMs: 30_000 });
  expect(await endpoints()).toEqual({ 'shop-green': 2 });
  const { live } = { live: await bench.act.observeService({ target: plan.target, spec: bench.slice.spec }) };
  expect(live.releases.map(({ version, outcome }) => [version, outcome])).toEqual([
    ['v2', 'soaking'],
    ['v1', 'good'],
  ]);
}, 60_000);

test('changes by others during the soak are told in words', async () => {
  const green = await adminCluster().read('Deployment', namespace.name, 'shop-green');
  const [replicaSet] = await adminCluster().list('ReplicaSet', namespace.name, { labelSelector: 'version=green' });
  const templateHash = replicaSet!.metadata.labels!['pod-template-hash']!;
  const expect_ = { selector: plan.to.selector, deployment: 'shop-green', uid: green.metadata.uid, templateHash };
  expect(await bench.act.detectInterference({ ...fenced(), expect: expect_ })).toEqual([]);

  const changed = { ...expect_, templateHash: 'another', selector: { app: 'shop', version: 'blue' } };
  expect(await bench.act.detectInterference({ ...fenced(), expect: changed })).toEqual([
    'Service shop selects app=shop,version=green, expected app=shop,version=blue',
  ]);
  await kubectl('-n', namespace.name, 'scale', 'deployment/shop-green', '--replicas=0');
  expect(await bench.act.detectInterference({ ...fenced(), expect: expect_ })).toEqual(['shop-green was scaled to 0']);
  await kubectl('-n', namespace.name, 'scale', 'deployment/shop-green', '--replicas=2');
});

test('a good release keeps the outcome in its record', async () => {
  await bench.act.recordOutcome({ ...fenced(), deployment: 'shop-green', outcome: 'good' });
  const { releases } = await bench.act.observeService({ target: plan.target, spec: bench.slice.spec });
  expect(releases[0]).toMatchObject({ version: 'v2', outcome: 'good' });
});

test('an activity whose lease is over changes nothing, whichever it is', async () => {
  const before = await kubectl('-n', namespace.name, 'get', 'service,deployment,hpa,pdb,job', '-o', 'yaml');
  const old = { target: plan.target, token: TOKEN - 1 };
  const uid = (await adminCluster().read('Deployment', namespace.name, 'shop')).metadata.uid;
  const job = { image: plan.to.image, command: ['true'], timeout: 1000 };
  const fill = { version: 'v2', image: plan.to.image, service: 'shop', port: 80 };
  const { act } = bench;
  const orphans: Record<string, () => Promise<unknown>> = {
    claimTarget: () => act.claimTarget(old),
    narrowService: () => act.narrowService({ ...old, from: plan.to.selector, to: plan.narrowTo! }),
    restoreSelector: () => act.restoreSelector({ ...old, from: plan.to.selector, to: { app: 'shop' } }),
    createColor: () => act.createColor({ plan, token: old.token, createdBy: 'deploy/test' }),
    switchTraffic: () => act.switchTraffic({ ...switchRequest(), ...old }),
    recordOutcome: () => act.recordOutcome({ ...old, deployment: 'shop-green', outcome: 'rolled-back' }),
    pinAutoscaler: () => act.pinAutoscaler({ ...old, hpa: 'shop', minimum: 2 }),
    unpinAutoscaler: () => act.unpinAutoscaler({ ...old, hpa: 'shop' }),
    removeColor: () => act.removeColor({ ...old, deployment: 'shop', uid, unlessSelected: true }),
    removePreview: () => act.removePreview({ ...old, preview: plan.preview }),
    runJob: () => act.runJob({ ...old, name: 'orphan', job, fill, evidenceKey: 'orphan.log' }),
  };
  for (const [name, run] of Object.entries(orphans))
    await expect(run().then(() => `${name} went through`)).rejects.toMatchObject({ type: 'Fenced' });
  expect(await kubectl('-n', namespace.name, 'get', 'service,deployment,hpa,pdb,job', '-o', 'yaml')).toBe(before);
}, 30_000);

test('the fence being gone is Interfered, not a licence', async () => {
  await kubectl('-n', namespace.name, 'annotate', 'service', 'shop', 'windlass.dev/fence-');
  await expect(bench.act.switchTraffic(switchRequest())).rejects.toMatchObject({ type: 'Interfered' });
  await bench.act.claimTarget(fenced());
});

test('the way back goes to a recorded release even when fewer pods are ready', async () => {
  const back = {
    ...fenced(),
    expect: plan.to.selector,
    record: recordOf(plan.from, 'good'),
    previous: recordOf(plan.to),
    previousOutcome: 'rolled-back' as const,
    requireReady: 1,
  };
  await bench.act.switchTraffic(back);
  const { releases, selector } = await bench.act.observeService({ target: plan.target, spec: bench.slice.spec });
  expect(selector).toEqual(plan.from.selector);
  expect(releases.map(({ version, outcome }) => [version, outcome])).toEqual([
    ['v1', 'good'],
    ['v2', 'rolled-back'],
  ]);
});

test('a color without traffic is deleted with its pods, once, and another of its name is left alone', async () => {
  const removal = { ...fenced(), deployment: 'shop-green', unlessSelected: true as const };
  expect(await bench.act.removeColor({ ...removal, uid: 'another' })).toMatchObject({ removed: false });
  expect(await bench.act.removeColor({ ...removal, createdBy: 'deploy/test' })).toMatchObject({ removed: true });
  expect(await bench.act.removeColor({ ...removal, createdBy: 'deploy/test' })).toMatchObject({ removed: false });
  expect(await kubectl('-n', namespace.name, 'get', 'pods', '-l', 'version=green', '-o', 'name')).toBe('');
}, 60_000);

test('the Service gets its former selector back, and the preview goes', async () => {
  const widen = { ...fenced(), from: plan.narrowTo!, to: { app: 'shop' } };
  await bench.act.restoreSelector(widen);
  await bench.act.restoreSelector(widen);
  await bench.act.removePreview({ ...fenced(), preview: plan.preview });
  await bench.act.removePreview({ ...fenced(), preview: plan.preview });

  const { metadata, spec } = await service();
  expect(spec.selector).toEqual({ app: 'shop' });
  expect(metadata.annotations).not.toHaveProperty(['windlass.dev/adopted-selector']);
  expect(await adminCluster().find('Service', namespace.name, plan.preview)).toBeUndefined();
});

test('a preview Service that no release made is left alone', async () => {
  await kubectl('-n', namespace.name, 'create', 'service', 'clusterip', plan.preview, '--tcp=80');
  await bench.act.removePreview({ ...fenced(), preview: plan.preview });
  expect(await adminCluster().find('Service', namespace.name, plan.preview)).toBeDefined();
});

test('a context that points at another cluster is refused before anything is read', async () => {
  const elsewhere = { ...plan.target, clusterUid: '00000000-0000-4000-8000-000000000000' };
  await expect(bench.act.claimTarget({ target: elsewhere, token: 9 })).rejects.toMatchObject({ type: 'WrongCluster' });
});

function switchRequest() {
  return {
    ...fenced(),
    expect: plan.from.selector,
    record: recordOf(plan.to),
    previous: recordOf(plan.from, 'good'),
    previousOutcome: 'good' as const,
    requireReady: 2,
  };
}
