import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import type { Bundle } from '../../src/server/alertmanager.ts';
import { signalsOf } from '../../src/server/incidents.ts';
import { serveIntake } from '../../src/server/intake.ts';

const TOKEN = 'a-token-of-tests';
const quiet = { info: () => undefined, warn: () => undefined };
const LABELS = { alertname: 'AgentDown', system: 'test', environment: 'local', service: 'shop' };
const alert = (over: object = {}) => ({
  status: 'firing',
  labels: LABELS,
  annotations: { summary: 'down' },
  startsAt: '2026-11-26T10:00:00.123456Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: 'http://prometheus',
  fingerprint: 'f1',
  ...over,
});
const webhook = (...alerts: object[]) => ({ version: '4', groupKey: '{}', receiver: 'windlass', alerts });

let server: Server;
let taken: Bundle[];
let fault: Error | undefined;

beforeEach(async () => {
  taken = [];
  fault = undefined;
  server = await serveIntake({
    host: '127.0.0.1',
    port: 0,
    token: async () => TOKEN,
    take: async (bundle) => {
      if (fault) throw fault;
      taken.push(bundle);
    },
    log: quiet,
  });
});
afterEach(() => new Promise((closed) => server.close(closed)));

async function post(body: string, over: { headers?: Record<string, string>; path?: string; method?: string } = {}) {
  const { port } = server.address() as AddressInfo;
  const { headers = { authorization: `Bearer ${TOKEN}` }, path = '/alerts', method = 'POST' } = over;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(method === 'GET' ? {} : { body }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test('alerts go to one incident per system, environment and service', async () => {
  const body = webhook(
    alert(),
    alert({ fingerprint: 'f2', labels: { ...LABELS, service: 'api' } }),
    alert({ fingerprint: 'f3' }),
    alert({ fingerprint: 'f4', labels: { alertname: 'Elsewhere' } }),
  );
  expect(await post(JSON.stringify(body))).toEqual({ status: 202, body: { incidents: 2, alerts: 3, ignored: 1 } });
  expect(taken.map(({ input, alerts }) => [input.service, alerts.map(({ fingerprint }) => fingerprint)])).toEqual([
    ['shop', ['f1', 'f3']],
    ['api', ['f2']],
  ]);
});

test.each([
  ['without a token', 401, { headers: {} }],
  ['with a wrong token', 401, { headers: { authorization: 'Bearer other' } }],
  ['elsewhere', 404, { path: '/' }],
  ['with another method', 405, { method: 'GET' }],
])('what comes %s is refused with %i and has no effect', async (_, status, over) => {
  expect((await post(JSON.stringify(webhook(alert())), over)).status).toBe(status);
  expect(taken).toEqual([]);
});

test.each([
  ['no JSON', '{', 400, 'expected JSON'],
  ['another shape', '{"alerts":"all"}', 400, 'alerts'],
  ['no alerts', JSON.stringify(webhook()), 400, 'alerts'],
  ['an alert without a fingerprint', JSON.stringify(webhook(alert({ fingerprint: undefined }))), 400, 'fingerprint'],
  ['a start that is no time', JSON.stringify(webhook(alert({ startsAt: 'now' }))), 400, 'startsAt'],
  ['no system', JSON.stringify(webhook(alert({ labels: { alertname: 'X' } }))), 422, 'system'],
  ['a name that is none', JSON.stringify(webhook(alert({ labels: { ...LABELS, system: '../x' } }))), 422, 'system'],
  ['17 MB', JSON.stringify(webhook(alert({ annotations: { text: 'x'.repeat(17_000_000) } }))), 413, 'at most'],
])('a body with %s is refused in words and has no effect', async (_, body, status, words) => {
  const answer = await post(body).catch((error: Error) => error);
  // A server that refuses before it read all may reset the connection under a client that still sends.
  if (answer instanceof Error) expect(status).toBe(413);
  else expect(answer).toEqual({ status, body: { error: expect.stringContaining(words) as string } });
  expect(taken).toEqual([]);
});

test('alerts that could not be made durable are not acknowledged, so that they come again; no detail leaks', async () => {
  fault = new Error('temporal.internal.example.com refused');
  expect(await post(JSON.stringify(webhook(alert())))).toEqual({
    status: 503,
    body: { error: 'the alerts could not be kept; send them again' },
  });
});

test('long texts are cut before they can fill a history', async () => {
  await post(JSON.stringify(webhook(alert({ annotations: { text: 'x'.repeat(100_000) } }))));
  expect(taken[0]!.alerts[0]!.annotations['text']).toHaveLength(500);
});

test('of a webhook with more alerts than an incident tells apart the first ones count; a refusal would lose all', async () => {
  const many = Array.from({ length: 5010 }, (_, index) => alert({ fingerprint: `f${index}` }));
  expect(await post(JSON.stringify(webhook(...many)))).toEqual({
    status: 202,
    body: { incidents: 1, alerts: 5000, ignored: 10 },
  });
});

test.each([
  ['short ones by their number', 1000, 10, [200, 200, 200, 200, 200]],
  ['long ones by their size', 100, 30_000, [34, 34, 32]],
  ['one that is too long alone', 2, 1_100_000, [1, 1]],
  ['none', 0, 0, []],
])('alerts are passed on in signals that Temporal takes: %s', (_, count, length, expected) => {
  const alerts = Array.from({ length: count }, (__, index) => ({
    ...{ fingerprint: `f${index}`, status: 'firing' as const, startsAt: '2026-11-26T10:00:00Z', labels: {} },
    annotations: { text: 'x'.repeat(length) },
  }));
  const signals = signalsOf(alerts);
  expect(signals.map((signal) => signal.alerts.length)).toEqual(expected);
  expect(signals.flatMap((signal) => signal.alerts)).toEqual(alerts);
});
