import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLoad } from '../../scripts/load/load-generator.ts';

const APP = join(import.meta.dirname, '../../scripts/sandbox/app');
const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

async function start(env: Record<string, string>): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [join(APP, 'server.js')], { env: { PORT: '0', ...env } });
  children.push(child);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { url: `http://127.0.0.1:${(JSON.parse(line) as { port: number }).port}`, child };
}

async function runJob(...args: string[]): Promise<{ code: number; log: string }> {
  const child = spawn(process.execPath, [join(APP, 'job.js'), ...args]);
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, log };
}

async function fetchJson(url: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function metric(url: string, series: string): Promise<number> {
  const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n');
  const line = lines.find((candidate) => candidate.startsWith(`${series} `));
  if (!line) throw new Error(`no ${series} in:\n${lines.join('\n')}`);
  return Number(line.slice(series.length));
}

test('a good version is ready, passes its smoke test and tells its version, color and pod', async () => {
  const { url } = await start({ APP_VERSION: 'v2', APP_COLOR: 'green', POD_NAME: 'app-1' });
  const response = await fetch(url);
  expect(response.headers.get('x-app-version')).toBe('v2');
  expect(await response.json()).toEqual({ version: 'v2', color: 'green', pod: 'app-1' });
  expect((await fetch(`${url}/ready`)).status).toBe(200);
  expect((await fetch(`${url}/smoke`)).status).toBe(200);
});

test('health follows its contract', async () => {
  const { url } = await start({ APP_VERSION: 'v10' });
  const { status, body } = await fetchJson(`${url}/health`);
  expect(status).toBe(200);
  expect(body).toEqual({
    status: 'healthy',
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    version: 'v10',
    uptime: expect.any(Number),
    checks: { database: 'healthy', redis: 'healthy', agents: 'healthy', external_apis: 'healthy' },
  });
});

test('metrics start at 0 and count traffic only', async () => {
  const { url } = await start({ APP_VERSION: 'v1' });
  const served = 'http_requests_total{status="200",app_version="v1"}';
  expect(await metric(url, served)).toBe(0);
  expect(await metric(url, 'http_requests_total{status="500",app_version="v1"}')).toBe(0);
  expect((await fetchJson(`${url}/sla`)).body).toEqual({ uptime: 100, responseTimeMs: null, errorRate: null });

  for (const path of ['/health', '/ready', '/smoke', '/sla', '/', '/', '/']) await fetch(url + path);
  expect(await metric(url, served)).toBe(3);
  expect(await metric(url, 'http_request_duration_seconds_count{app_version="v1"}')).toBe(3);
  expect(await metric(url, 'http_request_duration_seconds_bucket{le="+Inf",app_version="v1"}')).toBe(3);
  expect((await fetchJson(`${url}/metrics/sla`)).body).toMatchObject({ uptime: 100, errorRate: 0 });
});

test('v3 fails its smoke test and nothing else', async () => {
  const { url } = await start({ APP_VERSION: 'v3' });
  const statuses = await Promise.all(
    ['/smoke', '/', '/health', '/ready'].map(async (p) => (await fetch(url + p)).status),
  );
  expect(statuses).toEqual([500, 200, 200, 200]);
});

test('v4 fails only under load, and its metrics say how often', async () => {
  const { url } = await start({ APP_VERSION: 'v4' });
  for (let i = 0; i < 10; i += 1) expect((await fetch(url)).status).toBe(200);

  const load = startLoad({ url, requestsPerSecond: 200 });
  while ((await load.snapshot()).failed < 10) await sleep(5);
  const report = await load.stop();
  expect(report.failuresByKind).toEqual({ http_500: report.failed });
  expect(report.versions).toEqual({ v4: expect.objectContaining({ requests: report.issued }) });
  expect(await metric(url, 'http_requests_total{status="500",app_version="v4"}')).toBe(report.failed);
  expect(await metric(url, 'http_requests_total{status="200",app_version="v4"}')).toBe(report.succeeded + 10);
  expect((await fetchJson(`${url}/health`)).status).toBe(200);
});

test('v5 is slow, and its histogram shows it', async () => {
  const { url } = await start({ APP_VERSION: 'v5', APP_FAULTS: '{"v5":{"latencyMs":300}}' });
  expect((await fetch(url)).status).toBe(200);
  expect(await metric(url, 'http_request_duration_seconds_bucket{le="0.25",app_version="v5"}')).toBe(0);
  expect(await metric(url, 'http_request_duration_seconds_count{app_version="v5"}')).toBe(1);
});

test('v6 crashes with exit code 1', async () => {
  const child = spawn(process.execPath, [join(APP, 'server.js')], { env: { PORT: '0', APP_VERSION: 'v6' } });
  expect(await once(child, 'exit')).toEqual([1, null]);
});

// Reads resident memory where Linux shows it.
(process.platform === 'linux' ? test : test.skip)('v7 really uses the memory it allocates', async () => {
  const { child } = await start({ APP_VERSION: 'v7', APP_FAULTS: '{"v7":{"memoryMb":256}}' });
  const residentKb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]);
  while (residentKb() < 256 * 1024) await sleep(20);
});

test('v8 is healthy and never ready', async () => {
  const { url } = await start({ APP_VERSION: 'v8' });
  expect([(await fetch(`${url}/ready`)).status, (await fetch(`${url}/health`)).status]).toEqual([503, 200]);
});

test('v9 names its unhealthy check', async () => {
  const { url } = await start({ APP_VERSION: 'v9' });
  expect(await fetchJson(`${url}/health`)).toMatchObject({
    status: 503,
    body: { status: 'unhealthy', checks: { database: 'healthy', redis: 'unhealthy' } },
  });
  expect((await fetchJson(`${url}/sla`)).body).toMatchObject({ uptime: 0 });
});

test('the environment gives and takes faults', async () => {
  const { url } = await start({ APP_VERSION: 'v3', APP_FAULTS: '{"v3":{"unhealthyCheck":"agents"}}' });
  expect((await fetch(`${url}/smoke`)).status).toBe(200);
  expect((await fetchJson(`${url}/health`)).body).toMatchObject({ checks: { agents: 'unhealthy' } });
});

test('its health answer can be made to lie', async () => {
  const fault = { health: { timestamp: '2020-01-01T00:00:00.000Z', uptime: null } };
  const { url } = await start({ APP_VERSION: 'v2', APP_FAULTS: JSON.stringify({ v2: fault }) });
  const { status, body } = await fetchJson(`${url}/health`);
  expect(status).toBe(200);
  expect(body).toMatchObject({ status: 'healthy', version: 'v2', timestamp: '2020-01-01T00:00:00.000Z' });
  expect(body).not.toHaveProperty('uptime');
});

test('on SIGTERM it serves on while it moves clients off their connections, then exits with 0', async () => {
  const { url, child } = await start({ APP_VERSION: 'v1', DRAIN_MS: '400' });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = async (path: string) => {
    const request = get(url + path, { agent });
    const [response] = await once(request, 'response');
    response.resume();
    await once(response, 'end');
    return { status: response.statusCode, connection: response.headers.connection, reused: request.reusedSocket };
  };
  expect(await ask('/')).toMatchObject({ status: 200, connection: 'keep-alive' });
  child.kill('SIGTERM');
  while ((await ask('/ready')).status === 200);

  expect(await ask('/')).toEqual({ status: 200, connection: 'close', reused: false });
  expect(await once(child, 'exit')).toEqual([0, null]);
});

describe('the job', () => {
  test('passes against a healthy application of the expected version', async () => {
    const { url } = await start({ APP_VERSION: 'v2' });
    const { code, log } = await runJob('--expect', 'ok', '--url', url, '--version', 'v2');
    expect(log).toContain('PASS check redis');
    expect(log).toContain('all checks passed');
    expect(code).toBe(0);
  });

  test('fails when a check is unhealthy, and names it', async () => {
    const { url } = await start({ APP_VERSION: 'v9' });
    const { code, log } = await runJob('--url', url);
    expect(log).toContain('FAIL check redis: unhealthy');
    expect(code).toBe(1);
  });

  test('fails against another version than the expected one', async () => {
    const { url } = await start({ APP_VERSION: 'v1' });
    const { code, log } = await runJob('--url', url, '--version', 'v2');
    expect(log).toContain('FAIL version: expected v2, got v1');
    expect(code).toBe(1);
  });

  test('fails where nothing answers, and when told to', async () => {
    expect(await runJob('--url', 'http://127.0.0.1:1', '--wait-seconds', '1')).toMatchObject({ code: 1 });
    expect(await runJob('--expect', 'fail')).toMatchObject({ code: 1 });
  });
});
