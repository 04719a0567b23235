import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createNoticesActivities } from '../../activities/notices.ts';
import { createSecretResolver } from '../../src/adapters/secrets.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';

/** What the receiver answers, in order; the last answer repeats. */
type Answer = { status: number; headers?: Record<string, string> };
let answers: Record<string, Answer[]> = {};
let received: { path: string; body: string }[] = [];
let server: Server;
let url: string;
/** An address where nobody listens. */
let closed: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const path = request.url!;
      received.push({ path, body });
      const queue = answers[path] ?? [{ status: 200 }];
      const answer = queue.length > 1 ? queue.shift()! : queue[0]!;
      response.writeHead(answer.status, answer.headers).end(`answer of ${path}`);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  closed = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  await new Promise((resolve) => other.close(resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  answers = {};
  received = [];
});

const channels = {
  chat: { kind: 'slack', url: 'env:CHAT' },
  hook: { kind: 'webhook', url: 'env:HOOK' },
  gone: { kind: 'webhook', url: 'env:GONE' },
  unset: { kind: 'slack', url: 'env:UNSET' },
};
const catalog = { systems: new Map([['shop', { catalog: { channels } }]]) } as unknown as Catalog;

function notify(names: string[], text = 'v2 is out') {
  const env = { CHAT: `${url}/chat/verysecret`, HOOK: `${url}/hook/verysecret`, GONE: `${closed}/verysecret` };
  const activities = createNoticesActivities({
    catalog: { current: () => Promise.resolve(catalog) },
    secrets: createSecretResolver({ env }),
  });
  return activities.notify({ system: 'shop', channels: names, text, key: 'deploy/shop-v2#released' });
}

test('each channel gets the text, with the key at its end', async () => {
  expect(await notify(['chat', 'hook'])).toEqual({ delivered: ['chat', 'hook'], failed: [] });
  const bodyOf = (path: string) =>
    JSON.parse(received.find((each) => each.path === path)!.body) as { text: string; key?: string };
  expect(bodyOf('/chat/verysecret').text).toBe('v2 is out\n`deploy/shop-v2#released`');
  expect(bodyOf('/hook/verysecret')).toMatchObject({
    text: 'v2 is out\ndeploy/shop-v2#released',
    key: 'deploy/shop-v2#released',
  });
});

test('what Slack would read as a link or a ping arrives as plain text', async () => {
  await notify(['chat'], '<!channel> a & b');
  expect(JSON.parse(received[0]!.body)).toMatchObject({ text: expect.stringContaining('&lt;!channel&gt; a &amp; b') });
});

test('a channel that fails is in the result and the others are delivered', async () => {
  answers['/chat/verysecret'] = [{ status: 404 }];
  const result = await notify(['chat', 'hook', 'gone', 'unset', 'unknown']);
  expect(result.delivered).toEqual(['hook']);
  expect(result.failed.map(({ channel }) => channel)).toEqual(['chat', 'gone', 'unset', 'unknown']);
  expect(result.failed.map(({ error }) => error)).toEqual([
    'expected HTTP 2xx, got 404 answer of [redacted]',
    expect.stringContaining('ECONNREFUSED'),
    expect.stringContaining('secret env:UNSET'),
    'system shop has no channel unknown',
  ]);
  expect(JSON.stringify(result)).not.toContain('verysecret');
});

test.each([
  ['429 with Retry-After', [{ status: 429, headers: { 'retry-after': '0' } }, { status: 200 }], 2],
  ['503', [{ status: 503, headers: { 'retry-after': '0' } }, { status: 200 }], 2],
  ['503 for ever: three times in all', [{ status: 503, headers: { 'retry-after': '0' } }], 3],
  ['429 that asks for an hour: not at all', [{ status: 429, headers: { 'retry-after': '3600' } }], 1],
  ['400: not at all', [{ status: 400 }], 1],
  ['a redirect: not followed, not repeated', [{ status: 302, headers: { location: '/elsewhere' } }], 1],
] as [string, Answer[], number][])('is tried again only where that can help: %s', async (_, queue, requests) => {
  answers['/hook/verysecret'] = queue;
  const delivered = queue.at(-1)!.status === 200;
  expect((await notify(['hook'])).delivered).toEqual(delivered ? ['hook'] : []);
  expect(received.map(({ path }) => path)).toEqual(Array(requests).fill('/hook/verysecret'));
});

test('a channel named twice is told once', async () => {
  await notify(['hook', 'hook']);
  expect(received).toHaveLength(1);
});
