import {
  adminCluster,
  createTestNamespace,
  deployReadySample,
  kubectl,
  type TestNamespace,
} from '../support/namespace.ts';
import { createBench, image, type Bench } from '../support/release.ts';

let namespace: TestNamespace;
let bench: Bench;

beforeAll(async () => {
  namespace = await createTestNamespace({ capability: 'deploy' });
  await deployReadySample({ namespace: namespace.name });
  bench = createBench(namespace.name);
  await bench.act.claimTarget({ target: bench.target, token: 2 });
}, 120_000);
afterAll(async () => namespace?.remove());

const run = (name: string, command: string[], timeout = 60_000) =>
  bench.act.runJob({
    target: bench.target,
    token: 2,
    name,
    job: { image: '${image}', command, timeout },
    fill: { version: 'v1', image: image('v1'), service: 'shop', port: 80 },
    evidenceKey: `${name}.log`,
  });

test('a Job reaches the service under test by its URL, and a repeated attempt finds the same Job', async () => {
  const command = ['node', '/app/job.js', '--url', '${url}', '--version', '${version}'];
  expect(await run('reaches', command)).toEqual({ outcome: 'succeeded', detail: 'it completed' });
  const { uid } = (await adminCluster().read('Job', namespace.name, 'reaches')).metadata;
  expect(await run('reaches', command)).toMatchObject({ outcome: 'succeeded' });
  expect((await adminCluster().read('Job', namespace.name, 'reaches')).metadata.uid).toBe(uid);
  expect(bench.kept.has('reaches.log')).toBe(false);
}, 60_000);

test('the log of a Job that fails is kept', async () => {
  const result = await run('fails', ['node', '/app/job.js', '--expect', 'fail']);
  expect(result).toMatchObject({ outcome: 'failed', log: { uri: 's3://test/fails.log' } });
  expect(result.detail).toContain('ended with exit code 1');
  expect(bench.kept.get('fails.log')!.body).toContain('FAIL requested outcome');
}, 60_000);

test('a Job that takes too long is told apart, with the log it had written', async () => {
  const command = ['node', '-e', 'console.log("still busy"); setInterval(() => {}, 1000)'];
  expect(await run('slow', command, 6_000)).toMatchObject({
    outcome: 'timed-out',
    detail: expect.stringContaining('did not complete within 6 s'),
    log: { uri: 's3://test/slow.log' },
  });
  expect(bench.kept.get('slow.log')!.body).toContain('still busy');
}, 60_000);

test('a Job whose program is not there says so', async () => {
  const { outcome, detail } = await run('absent', ['/not-there'], 8_000);
  expect(outcome).not.toBe('succeeded');
  expect(detail).toMatch(/not-there/);
}, 60_000);

test("a Job of the same name that is somebody else's is Interfered", async () => {
  await kubectl('-n', namespace.name, 'create', 'job', 'taken', `--image=${image('v1')}`, '--', 'true');
  await expect(run('taken', ['true'])).rejects.toMatchObject({ type: 'Interfered' });
});
