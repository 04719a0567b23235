import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLoad, type Load } from '../../scripts/load/load-generator.ts';
import { startLoadProcess } from '../../scripts/load/load-process.ts';
import type { LoadReport } from '../../scripts/load/load-report.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<{ url: string; server: Server; connections: () => number }> {
  const server = createServer(listener);
  servers.push(server);
  let connections = 0;
  server.on('connection', () => (connections += 1));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server, connections: () => connections };
}

async function until(load: Load, reached: (report: LoadReport) => boolean): Promise<LoadReport> {
  for (;;) {
    const report = await load.snapshot();
    if (reached(report)) return report;
    await sleep(5);
  }
}

const ok =
  (version: string): RequestListener =>
  (_request, response) =>
    response.writeHead(200, { 'x-app-version': version, 'content-type': 'application/json' }).end('{"ok":true}');

test('half of the requests open a connection each and half stay on the kept ones, as the server itself counts', async () => {
  let received = 0;
  const { url, connections } = await serve((request, response) => {
    received += 1;
    ok('v1')(request, response);
  });
  const load = startLoad({ url, requestsPerSecond: 100, connections: 4 });
  await until(load, (r) => r.connections.kept.requests >= 60);
  const report = await load.stop();

  expect(report).toMatchObject({ inFlight: 0, failed: 0, issued: received, succeeded: received, failures: [] });
  expect(report.connections.new.opened).toBe(report.connections.new.requests);
  expect(report.connections.kept).toMatchObject({ opened: 4, reused: report.connections.kept.requests - 4 });
  expect(connections()).toBe(report.connections.new.opened + 4);
  // Four connections may be busy for a while on a slow machine, so the halves are equal up to what waits for them.
  const share = report.connections.kept.requests / report.issued;
  expect(share).toBeGreaterThan(0.2);
  expect(share).toBeLessThan(0.6);
});

test('every failure is counted once, by kind and by the version that answered', async () => {
  const dealt: Record<string, number> = {};
  const behaviors: [string, RequestListener][] = [
    ['success', ok('v1')],
    ['http_500', (_, response) => response.writeHead(500, { 'x-app-version': 'v2' }).end()],
    ['http_302', (_, response) => response.writeHead(302, { location: '/', 'x-app-version': 'v2' }).end()],
    [
      'invalid_body',
      (_, response) => response.writeHead(200, { 'x-app-version': 'v2', 'content-type': 'application/json' }).end('{'),
    ],
    [
      'short_body',
      (_, response) => {
        response.writeHead(200, { 'x-app-version': 'v2', 'content-length': '100' });
        response.write('ten bytes.', () => response.destroy());
      },
    ],
    ['reset', (request) => request.socket.resetAndDestroy()],
    ['timeout', () => {}],
  ];
  let received = 0;
  const { url } = await serve((request, response) => {
    const [kind, behave] = behaviors[received++ % behaviors.length]!;
    dealt[kind] = (dealt[kind] ?? 0) + 1;
    behave(request, response);
  });
  const load = startLoad({ url, requestsPerSecond: 200, timeoutMs: 3000 });
  await until(load, (r) => r.issued >= 140);
  const report = await load.stop();
  const { success, ...failures } = dealt;

  expect(report.failuresByKind).toEqual(failures);
  expect(report.succeeded).toBe(success);
  expect(report.issued).toBe(report.succeeded + report.failed);
  const versionOf = Object.fromEntries(report.failures.map((row) => [row.kind, row.version]));
  expect(versionOf).toEqual({
    http_500: 'v2',
    http_302: 'v2',
    invalid_body: 'v2',
    short_body: 'v2',
    reset: null,
    timeout: null,
  });
  expect(report.versions.v1).toMatchObject({ requests: success, succeeded: success, failed: 0 });
  const byV2 = dealt.http_500! + dealt.http_302! + dealt.invalid_body! + dealt.short_body!;
  expect(report.versions.v2).toMatchObject({ requests: byV2, succeeded: 0, failed: byV2 });
});

test('a request that dies on a kept connection is a reset and is not sent again', async () => {
  const perSocket = new WeakMap<object, number>();
  let received = 0;
  const { url } = await serve((request, response) => {
    received += 1;
    const nth = (perSocket.get(request.socket) ?? 0) + 1;
    perSocket.set(request.socket, nth);
    if (nth === 1) ok('v1')(request, response);
    else request.socket.destroy();
  });
  const load = startLoad({ url, requestsPerSecond: 400, connections: 2 });
  await until(load, (r) => (r.failuresByKind.reset ?? 0) >= 20);
  const report = await load.stop();

  expect(report.issued).toBe(received);
  expect(report.failuresByKind).toEqual({ reset: report.connections.kept.reused });
});

test('where nothing listens every request is refused, without a version', async () => {
  const { url, server } = await serve(ok('v1'));
  await new Promise((resolve) => server.close(resolve));
  const load = startLoad({ url, requestsPerSecond: 400 });
  await until(load, (r) => r.failed >= 40);
  const report = await load.stop();

  expect(report.failures).toEqual([expect.objectContaining({ kind: 'refused', version: null, count: report.issued })]);
  expect(report).toMatchObject({ succeeded: 0, latencyMs: null, versions: {} });
  expect(report.connections.new.opened + report.connections.kept.opened).toBe(0);
});

test('the first and last answer of each version are told apart by kind of connection', async () => {
  let version = 'v1';
  const { url } = await serve((request, response) => ok(version)(request, response));
  const load = startLoad({ url, requestsPerSecond: 400 });
  await until(
    load,
    (r) => r.versions.v1?.connections.new !== undefined && r.versions.v1.connections.kept !== undefined,
  );
  version = 'v2';
  await until(
    load,
    (r) => r.versions.v2?.connections.new !== undefined && r.versions.v2.connections.kept !== undefined,
  );
  const { v1, v2 } = (await load.stop()).versions;

  expect(v1!.lastAt).toBeLessThanOrEqual(v2!.lastAt);
  expect(v1!.firstAt).toBeLessThanOrEqual(v1!.connections.new!.firstAt);
  expect(v2!.connections.new!.count + v2!.connections.kept!.count).toBe(v2!.requests);
  const openings = await load.openings();
  expect(openings.filter(({ version }) => version === 'v1')).toHaveLength(v1!.connections.new!.count);
  expect(openings.filter(({ version }) => version === 'v2')).toHaveLength(v2!.connections.new!.count);
  expect(openings.every(({ at, version }) => at <= (version === 'v1' ? v1 : v2)!.connections.new!.lastAt)).toBe(true);
});

test('the load generator in its own process reports the same, and ends with stop()', async () => {
  let received = 0;
  const { url } = await serve((request, response) => {
    received += 1;
    ok('v1')(request, response);
  });
  const before = Date.now();
  const load = await startLoadProcess({ url, requestsPerSecond: 400 });
  await until(load, (r) => r.succeeded >= 40);
  const openings = await load.openings();
  const report = await load.stop();

  expect(openings.length).toBeGreaterThanOrEqual(1);
  expect(new Set(openings.map(({ version }) => version))).toEqual(new Set(['v1']));
  expect(openings.every(({ at }) => at > before && at < Date.now())).toBe(true);
  expect(report).toMatchObject({ issued: received, succeeded: received, failed: 0, inFlight: 0 });
  await expect(load.snapshot()).rejects.toThrow("the load generator's process ended");
});

test('an address that is not http is refused before anything is sent', () => {
  expect(() => startLoad({ url: 'https://example.org/', requestsPerSecond: 1 })).toThrow('expected an http: URL');
});
