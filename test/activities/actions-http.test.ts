import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { createObjectStore } from '../../src/adapters/object-store.ts';
import { createActionBench, createClusterActionBench } from '../support/action-bench.ts';
import { createTestNamespace, deployReadySample, kubectl, type TestNamespace } from '../support/namespace.ts';
import { slice } from '../support/live.ts';

describe('over HTTP', () => {
  const bench = createActionBench();
  const asked: string[] = [];
  let server: Server;
  let base: string;

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      if (request.url === '/redirect') return response.writeHead(302, { location: '/' }).end();
      if (request.url === '/silent') return undefined;
      if (request.url === '/large') return response.end('x'.repeat(1_000_000) + 'its end');
      if (request.url === '/health') {
        const checks = { database: 'healthy', redis: 'unhealthy' };
        return response.end(
          JSON.stringify({ status: 'healthy', timestamp: new Date().toISOString(), version: 'v2', uptime: 5, checks }),
        );
      }
      return response.end('welcome');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('probeUrl tells status and time of one answer', async () => {
    expect(await bench.run('probeUrl', { url: `${base}/once`, contains: 'welcome' })).toEqual({
      ok: true,
      faults: [],
      status: 200,
      latencyMs: expect.any(Number),
    });
    expect(asked.filter((path) => path === '/once')).toHaveLength(1);
  });

  test('a redirect is an answer, and is not followed', async () => {
    const before = asked.length;
    expect(await bench.run('probeUrl', { url: `${base}/redirect`, status: 302 })).toMatchObject({ ok: true });
    expect(asked.slice(before)).toEqual(['/redirect']);
  });

  test.each([
    ['/', { status: 204 }, / answers HTTP 200, expected 204$/],
    ['/', { contains: 'unicorn' }, / does not contain "unicorn"$/],
    ['/large', { contains: 'its end' }, / does not contain "its end"$/],
    ['/silent', { within: '200ms' }, /does not answer: no answer within 200 ms$/],
  ])('a fault of %s is said: %j', async (path, expected, fault) => {
    const result = await bench.run('probeUrl', { url: base + path, ...expected });
    expect(result).toMatchObject({ ok: false, faults: [expect.stringMatching(fault)] });
    await expect(bench.run('probeUrl', { url: base + path, ...expected, orFail: true })).rejects.toMatchObject({
      type: 'ChecksFailed',
    });
  });

  test('only http and https are asked', async () => {
    await expect(bench.run('probeUrl', { url: 'file:///etc/hostname' })).rejects.toMatchObject({
      type: 'InvalidInput',
    });
  });

  test('checkHealthContract names every fault of a health answer', async () => {
    const expected = { url: `${base}/health`, checks: ['database', 'printer'], version: 'v3' };
    expect(await bench.run('checkHealthContract', expected)).toEqual({
      ok: false,
      faults: ['version is v2, expected v3', 'check printer is missing', 'check redis is "unhealthy"'],
      version: 'v2',
    });
  });

  test('one that cannot be reached is unhealthy', async () => {
    const { ok, faults } = await bench.run('checkHealthContract', { url: 'http://127.0.0.1:1/health' });
    expect([ok, faults]).toEqual([false, [expect.stringContaining('does not answer: ')]]);
  });
});

describe('in the cluster', () => {
  let namespace: TestNamespace;
  beforeAll(async () => {
    namespace = await createTestNamespace({ capability: 'operate' });
    await deployReadySample({ namespace: namespace.name, version: 'v2' });
  }, 120_000);
  afterAll(async () => namespace?.remove());

  const bench = ({ spec } = slice()) =>
    createClusterActionBench(namespace.name, { service: { service: 'shop', spec } });

  test('checkHealthContract asks a Service through the API server, or the service that the runbook is for', async () => {
    const healthy = { ok: true, faults: [], version: 'v2' };
    expect(await bench().run('checkHealthContract', { service: 'shop', checks: ['database'] })).toEqual(healthy);
    const health = { path: '/health', checks: ['printer'], maxAge: 60_000 };
    expect(await bench(slice({ health })).run('checkHealthContract', {})).toEqual({
      ...healthy,
      ok: false,
      faults: ['check printer is missing'],
    });
  });

  test('a Service without endpoints is unhealthy', async () => {
    await kubectl('-n', namespace.name, 'create', 'service', 'clusterip', 'empty', '--tcp=80');
    expect(await bench().run('checkHealthContract', { service: 'empty' })).toMatchObject({
      ok: false,
      faults: ['empty/health does not answer: no endpoints available for service "empty"'],
    });
  });

  test('queryMetric and assertMetric judge a value of Prometheus', async () => {
    const scraped = `count(up{namespace="${namespace.name}"})`;
    const known = async () => (await bench().run('queryMetric', { query: scraped })).known;
    await waitFor('the first scrape', known, { timeoutSeconds: 20 });
    expect(await bench().run('queryMetric', { query: scraped })).toEqual({ known: true, value: 1 });
    expect(await bench().run('queryMetric', { query: 'no_such_metric' })).toEqual({ known: false });
    expect(await bench().run('queryMetric', { query: 'vector(1) / 0' })).toEqual({
      known: true,
      value: Number.MAX_VALUE,
    });
    expect(await bench().run('assertMetric', { query: scraped, min: 1, max: 1 })).toEqual({ value: 1 });
    await expect(bench().run('assertMetric', { query: scraped, max: 0 })).rejects.toMatchObject({
      type: 'ChecksFailed',
      message: `${scraped} is 1, expected at most 0`,
    });
    await expect(bench().run('assertMetric', { query: 'no_such_metric', max: 0 })).rejects.toMatchObject({
      type: 'ChecksFailed',
    });
  });
});

test('tell reaches the channels of the catalog, and names the one that stays silent', async () => {
  const { receivers } = readEndpoints();
  const path = `/webhook/${randomUUID()}`;
  const bench = createActionBench({
    channels: { hook: { kind: 'webhook', url: 'env:HOOK' }, gone: { kind: 'webhook', url: 'env:NOT_SET' } },
    env: { HOOK: receivers.url + path },
  });
  const message = { channels: ['hook', 'gone'], text: 'the window begins' };
  expect((await bench.plan('tell', message)).lines).toEqual([
    'hook is told: the window begins',
    'gone is told: the window begins',
  ]);
  expect(await bench.run('tell', message, { key: 'step-1' })).toEqual({
    delivered: ['hook'],
    failed: [{ channel: 'gone', error: expect.stringContaining('env:NOT_SET') }],
  });
  const arrived = await fetch(`${receivers.url}/requests?path=${encodeURIComponent(path)}`);
  expect(await arrived.json()).toMatchObject([{ body: { text: 'the window begins\nstep-1', key: 'step-1' } }]);
});

test('keepText stores a text once, and findObject finds it with its digest', async () => {
  const { endpoint, bucket, region, accessKeyId, secretKeyFile } = readEndpoints().s3;
  const secretAccessKey = readFileSync(secretKeyFile, 'utf8').trim();
  const objects = createObjectStore({ endpoint, bucket, region, accessKeyId, secretAccessKey });
  const bench = createActionBench({ objects });
  const key = `test/${randomUUID()}`;
  const note = { file: 'note.txt', text: 'The window began on time.' };
  const kept = await bench.run('keepText', note, { key });
  expect(await bench.run('keepText', note, { key })).toEqual(kept);

  const object = `steps/test/local/${key}/note.txt`;
  const s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: object }));
  expect(await Body!.transformToString()).toBe(note.text);
  s3.destroy();
  expect(await bench.run('findObject', { key: object })).toEqual({ found: true, ...kept });
  expect(await bench.run('findObject', { key: `${object}.absent` })).toMatchObject({ found: false });
});

test('reportChecks keeps what every check found, also when it then fails', async () => {
  const bench = createActionBench();
  const checks = { api: [], database: ['it does not answer', 'it is a standby'] };
  const found = await bench.run('reportChecks', { title: 'The shop', checks }, { key: 'a/b' });
  expect(found).toMatchObject({
    ok: false,
    faults: ['database: it does not answer', 'database: it is a standby'],
    well: ['api'],
    unwell: ['database'],
    uri: 's3://test/steps/test/local/a/b/checks.json',
  });
  const report = {
    title: 'The shop',
    ok: false,
    checks: [
      { name: 'api', ok: true, faults: [] },
      { name: 'database', ok: false, faults: checks.database },
    ],
  };
  expect(JSON.parse(bench.kept.get('steps/test/local/a/b/checks.json')!.body)).toEqual(report);
  const failing = bench.run('reportChecks', { title: 'The shop', checks, orFail: true }, { key: 'a/c' });
  await expect(failing).rejects.toMatchObject({ type: 'ChecksFailed', details: [found.faults] });
  expect(bench.kept.has('steps/test/local/a/c/checks.json')).toBe(true);

  const well = await bench.run('reportChecks', { title: 'The shop', checks: { api: [] }, orFail: true });
  expect(well).toMatchObject({ ok: true, faults: [] });
  await expect(bench.run('reportChecks', { title: 'The shop', checks: {} })).rejects.toMatchObject({
    type: 'InvalidInput',
  });
});
