import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Payload } from '@temporalio/common';
import { encryptionOf } from '../../src/adapters/temporal/data-converter.ts';
import { hasSession, sessionCookie } from '../../src/server/codec-session.ts';
import { serveCodec, type CodecServerOptions } from '../../src/server/codec.ts';

const PROGRAM = join(import.meta.dirname, '../../worker/codec-server.ts');
const TOKEN = 'a-token-of-tests';
const UI = 'https://temporal.example.com';
const BEARER = { authorization: `Bearer ${TOKEN}` };
const CANARY = 'canary-4711';
const keys = (id: string) => ({ WINDLASS_PAYLOAD_KEYS: `${id}=env:KEY`, KEY: randomBytes(32).toString('base64') });
const codecOf = async (env: Record<string, string>) => (await encryptionOf(env)).dataConverter.payloadCodecs![0]!;
const codec = await codecOf(keys('a'));

let server: Server | undefined;
let logged: string;
async function serve(over: Partial<CodecServerOptions> = {}): Promise<void> {
  logged = '';
  const log = (fields: object, text: string) => void (logged += JSON.stringify([fields, text]));
  server = await serveCodec({
    ...{ host: '127.0.0.1', port: 0, token: async () => TOKEN, origins: [UI], codec, encodes: false },
    log: { info: log, warn: log },
    ...over,
  });
}
beforeEach(() => serve());
afterEach(() => new Promise((closed) => server!.close(closed)));

interface Ask {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string | object;
}
async function ask({ path = '/decode', method = 'POST', headers = BEARER, body = { payloads: [] } }: Ask = {}) {
  const { port } = server!.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    ...{ method, headers },
    ...(method === 'POST' ? { body: typeof body === 'string' ? body : JSON.stringify(body) } : {}),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const toJson = ({ metadata, data }: Payload) => ({
  metadata: Object.fromEntries(Object.entries(metadata!).map(([name, value]) => [name, base64(value)])),
  data: base64(data!),
});
const base64 = (value: string | Uint8Array): string => Buffer.from(value as string).toString('base64');
const plain = { metadata: { encoding: base64('json/plain') }, data: base64(`"${CANARY}"`) };
const plainPayload = (): Payload => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(`"${CANARY}"`),
});
const encrypted = async () => ({ payloads: (await codec.encode([plainPayload()])).map(toJson) });

test('what is encrypted is shown to whoever has the token, wherever the server is mounted', async () => {
  for (const path of ['/decode', '/codec/decode', '/decode?preserveStorageRefs=true']) {
    const { status, text } = await ask({ path, body: await encrypted() });
    expect([status, JSON.parse(text)]).toEqual([200, { payloads: [plain] }]);
  }
  expect(logged).not.toContain(CANARY);
});

test('what is not encrypted comes back as it was, and nothing of nothing', async () => {
  expect(JSON.parse((await ask({ body: { payloads: [plain] } })).text)).toEqual({ payloads: [plain] });
  expect(JSON.parse((await ask({ body: {} })).text)).toEqual({ payloads: [] });
});

test.each<[string, Ask, number]>([
  ['without a token', { headers: {} }, 401],
  ['with another token', { headers: { authorization: 'Bearer other' } }, 401],
  ['with the token alone', { headers: { authorization: TOKEN } }, 401],
  ['with a cookie that somebody made up', { headers: { cookie: `windlass_codec=9999999999.${'A'.repeat(43)}` } }, 401],
  ['from another page', { headers: { ...BEARER, origin: 'https://evil.example.com' } }, 403],
  ['from a page without an origin of its own', { headers: { ...BEARER, origin: 'null' } }, 403],
  ['by GET', { method: 'GET' }, 405],
  ['elsewhere', { path: '/' }, 404],
  ['to encrypt, which is not offered', { path: '/encode' }, 404],
  ['with something else than JSON', { body: 'payloads' }, 400],
  ['with something else than payloads', { body: { payloads: [{ data: 'not base64!' }] } }, 400],
  ['with more than it reads', { body: 'x'.repeat(9 * 1024 * 1024) }, 413],
])('nothing is shown %s', async (_, asked, status) => {
  const answer = await ask({ ...asked, body: asked.body ?? (await encrypted()) });
  expect(answer.status).toBe(status);
  expect(answer.text).not.toContain(base64(CANARY).slice(4, 12));
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
});

test('a payload of a key that is not at hand is refused by the id of its key', async () => {
  const other = await codecOf(keys('b'));
  const body = { payloads: (await other.encode([plainPayload()])).map(toJson) };
  const { status, text } = await ask({ body });
  expect([status, JSON.parse(text)]).toEqual([400, { error: expect.stringContaining('encrypted with key "b"') }]);
});

test('the UI may ask from its own origin, with its cookie or a token', async () => {
  const preflight = await ask({
    method: 'OPTIONS',
    headers: { origin: UI, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-namespace' },
  });
  expect(preflight.status).toBe(204);
  const allowed = Object.fromEntries([...preflight.headers].filter(([name]) => name.startsWith('access-control')));
  expect(allowed).toMatchObject({
    'access-control-allow-origin': UI,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': expect.stringContaining('x-namespace'),
  });
  const answer = await ask({ headers: { ...BEARER, origin: UI, 'x-namespace': 'ops' }, body: await encrypted() });
  expect([answer.status, answer.headers.get('access-control-allow-origin'), answer.headers.get('vary')]).toEqual([
    200,
    UI,
    'Origin',
  ]);
  expect(logged).toContain('"namespace":"ops"');
});

test('where it is asked to, it encrypts what the UI sends', async () => {
  server!.close();
  await serve({ encodes: true });
  const { status, text } = await ask({ path: '/encode', body: { payloads: [plain] } });
  expect(status).toBe(200);
  expect(Buffer.from(JSON.parse(text).payloads[0].metadata.encoding, 'base64').toString()).toBe('binary/encrypted');
  expect(JSON.parse((await ask({ body: text })).text)).toEqual({ payloads: [plain] });
});

test('who signs in with the token needs it no more', async () => {
  const form = await ask({ path: '/login', method: 'GET', headers: {} });
  expect([form.status, form.headers.get('content-security-policy')]).toEqual([
    200,
    expect.stringContaining("frame-ancestors 'none'"),
  ]);
  const wrong = await ask({ path: '/login', headers: {}, body: 'token=other' });
  expect([wrong.status, wrong.headers.get('set-cookie')]).toEqual([401, null]);
  expect(logged).toContain('"status":401');

  const right = await ask({ path: '/login', headers: {}, body: `token=${TOKEN}` });
  const cookie = right.headers.get('set-cookie')!;
  expect(cookie).toMatch(/HttpOnly; Secure; SameSite=Strict$/);
  expect(cookie).not.toContain(TOKEN);
  const shown = await ask({ headers: { cookie: cookie.split(';')[0]!, origin: UI }, body: await encrypted() });
  expect([shown.status, JSON.parse(shown.text)]).toEqual([200, { payloads: [plain] }]);
});

test('a session ends after twelve hours, with another token, and when its date is changed', () => {
  const now = Date.parse('2026-11-27T08:00:00Z');
  const cookie = sessionCookie(TOKEN, now).split(';')[0]!;
  expect(hasSession(`theme=dark; ${cookie}`, TOKEN, now + 12 * 3_600_000 - 1)).toBe(true);
  expect(hasSession(cookie, TOKEN, now + 12 * 3_600_000)).toBe(false);
  expect(hasSession(cookie, 'another token', now)).toBe(false);
  expect(hasSession(cookie.replace(/=\d/, '=9'), TOKEN, now)).toBe(false);
  expect(hasSession(undefined, TOKEN, now)).toBe(false);
});

test.each<[string, Record<string, string>, string[]]>([
  ['without anything', {}, ['WINDLASS_PAYLOAD_KEYS', 'WINDLASS_CODEC_TOKEN', 'WINDLASS_CODEC_ORIGINS']],
  ['with a token that can be guessed', { TOKEN: 'letmein' }, ['WINDLASS_CODEC_TOKEN']],
  ['for any origin', { WINDLASS_CODEC_ORIGINS: '*' }, ['WINDLASS_CODEC_ORIGINS']],
])('the program does not start %s, and lists every fault', async (_, over, faulty) => {
  const right = { ...keys('a'), TOKEN: 't'.repeat(32), WINDLASS_CODEC_TOKEN: 'env:TOKEN', WINDLASS_CODEC_ORIGINS: UI };
  const env = faulty.length === 3 ? over : { ...right, ...over };
  const child = spawn(process.execPath, [PROGRAM], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [log, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  // A fatal line is written at once, before others that are still on their way.
  const lines = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { faults } = lines.find(({ level }) => level === 60);
  expect([code, faults.map((fault: string) => /^\w+/.exec(fault)![0])]).toEqual([2, faulty]);
  expect(log).not.toContain('letmein');
});

test('its health is for everybody', async () => {
  expect((await ask({ path: '/healthz', method: 'GET', headers: {} })).status).toBe(200);
});

test('when its token cannot be read now it says so, and shows nothing', async () => {
  server!.close();
  await serve({ token: () => Promise.reject(new Error('the API server does not answer')) });
  const { status, text } = await ask({ body: await encrypted() });
  expect([status, text]).toEqual([503, '{"error":"the codec server cannot answer now"}']);
});
