import { waitFor } from '../../scripts/sandbox/wait.ts';
import { createTestNamespace, deployReadySample, kubectl, type TestNamespace } from '../support/namespace.ts';
import { createBench, type Bench } from '../support/release.ts';

let namespace: TestNamespace;
let bench: Bench;
const smokeTests = [
  { path: '/smoke', status: 200 },
  { path: '/', status: 200, contains: '"version":"v3"' },
  { path: '/', status: 200, contains: 'a unicorn' },
  { path: '/not-there', status: 404 },
];

beforeAll(async () => {
  namespace = await createTestNamespace({ capability: 'deploy' });
  bench = createBench(namespace.name);
  await deployReadySample({ namespace: namespace.name, version: 'v3' });
}, 120_000);
afterAll(async () => namespace?.remove());

const asked = (via = 'shop') => ({ target: bench.target, spec: bench.slice.spec, via });

test('each smoke test that fails is named, with what came', async () => {
  const { release } = bench.slice.spec;
  const spec = { ...bench.slice.spec, release: { ...release, smokeTests } };
  expect(await bench.act.runSmokeTests({ ...asked(), spec, expectedVersion: 'v3' })).toEqual({
    failures: ['/smoke answers HTTP 500, expected 200', '/ does not contain "a unicorn"'],
  });
});

test('a wrong version and a missing check are faults of the health answer', async () => {
  const spec = { ...bench.slice.spec, health: { ...bench.slice.spec.health, checks: ['database', 'printer'] } };
  expect(await bench.act.checkHealth({ ...asked(), spec, expectedVersion: 'v4' })).toEqual({
    healthy: false,
    version: 'v3',
    faults: ['version is v3, expected v4', 'check printer is missing'],
  });
});

test('a Service without endpoints is unhealthy, and says why', async () => {
  await kubectl('-n', namespace.name, 'create', 'service', 'clusterip', 'empty', '--tcp=80');
  // The proxy of the API server has a list of its own, which learns of a new Service a moment later.
  const report = await waitFor(
    'the proxy to know the Service',
    async () => {
      const now = await bench.act.checkHealth(asked('empty'));
      return now.faults.some((fault) => fault.includes('not found')) ? undefined : now;
    },
    { timeoutSeconds: 30 },
  );
  expect(report).toEqual({
    healthy: false,
    faults: ['empty/health does not answer: no endpoints available for service "empty"'],
  });
});

test('an unhealthy check is named although the application answers 503', async () => {
  await kubectl('-n', namespace.name, 'set', 'image', 'deployment/shop', 'app=docker.io/windlass/sample:v9');
  await kubectl('-n', namespace.name, 'rollout', 'status', 'deployment/shop', '--timeout=90s');
  let report = await bench.act.checkHealth(asked());
  // The old pod answers until its endpoint is gone.
  for (let tries = 0; report.version !== 'v9' && tries < 100; tries++) report = await bench.act.checkHealth(asked());
  expect(report).toMatchObject({ healthy: false, version: 'v9' });
  expect(report.faults).toEqual(expect.arrayContaining(['shop/health answers HTTP 503', 'check redis is "unhealthy"']));
}, 120_000);

test('metrics are measured for one color; what cannot be measured says why', async () => {
  const metric = (name: string, query: string) => ({ name, query, unit: '', min: 1, failureLimit: 2 });
  const metrics = [
    metric('scraped', 'count(up{namespace="$namespace",pod_template_hash="$hash"})'),
    metric('absent', 'sum(no_such_metric{service="$service"})'),
    metric('many', 'vector(1) or label_replace(vector(2), "a", "b", "", "")'),
  ];
  const slice = { ...bench.slice, spec: { ...bench.slice.spec, metrics } };
  const { deployments } = await bench.act.observeService({ target: bench.target, spec: bench.slice.spec });
  const hash = deployments[0]!.templateHash!;
  const take = () => bench.act.measure({ slice, metrics: 'metrics', deployment: 'shop', templateHash: hash });
  let measured = await take();
  for (let tries = 0; measured[0]!.value === undefined && tries < 100; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    measured = await take();
  }
  expect(measured).toEqual([
    { metric: 'scraped', value: expect.any(Number) },
    { metric: 'absent' },
    { metric: 'many', error: expect.stringContaining('gives 2 series, expected one value') },
  ]);
}, 60_000);

test('without a Prometheus every measurement says so', async () => {
  const { prometheus: _none, ...slice } = bench.slice;
  const metrics = [{ name: 'any', query: 'up', unit: '', min: 1, failureLimit: 2 }];
  const given = { ...slice, spec: { ...slice.spec, metrics } };
  expect(await bench.act.measure({ slice: given, metrics: 'metrics', deployment: 'shop', templateHash: '' })).toEqual([
    { metric: 'any', error: 'the environment names no Prometheus' },
  ]);
});
