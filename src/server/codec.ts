import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { z } from 'zod';
import { isFailure } from '../adapters/failure.ts';
import { describeIssues } from '../contracts/contract.ts';
import { hasSession, sessionCookie } from './codec-session.ts';
import { bodyOf, isSame, parseJson, Refusal } from './requests.ts';

/** Above what Temporal sends at once: a page of a history has at most 4 MB, a third more in base64. */
const BODY_BYTES = 8 * 1024 * 1024;
/** Of a form with one token. */
const FORM_BYTES = 4096;

export interface CodecServerOptions {
  host: string;
  port: number;
  /** Reads the token anew for each request, so that it can be changed without a restart. */
  token: () => Promise<string>;
  /** Origins of the Temporal UI, such as `https://temporal.example.com`: pages of others get no answer. */
  origins: string[];
  codec: PayloadCodec;
  /** Whether `/encode` is offered: then the UI encrypts what people send by it. */
  encodes: boolean;
  log: Record<'info' | 'warn', (fields: object, text: string) => void>;
}

/**
 * Serves Temporal's codec protocol for its UI and its command line: `POST /decode`, and `POST /encode` when asked to, to
 * whoever brings the bearer token or has signed in at `/login`. `/healthz` answers everybody.
 */
export async function serveCodec(options: CodecServerOptions): Promise<Server> {
  const { host, port, log } = options;
  const server = createServer((request, response) => {
    const { method, headers } = request;
    const path = pathOf(request);
    respond(request, response, options).then(
      () => {
        if (path === '/healthz') return;
        const { statusCode: status } = response;
        const said = { method, path, status, namespace: headers['x-namespace'] };
        if (status < 400) log.info(said, 'answered');
        else log.warn(said, 'refused');
      },
      (error: Error) => {
        const status = error instanceof Refusal ? error.status : 503;
        log.warn({ method, path, status, error: error.message }, 'refused');
        if (status === 401) response.setHeader('www-authenticate', 'Bearer');
        // What was not read of a body that is too long must not be taken for the next request.
        response.setHeader('connection', 'close');
        json(response, status, { error: status === 503 ? 'the codec server cannot answer now' : error.message });
      },
    );
  });
  server.requestTimeout = 10_000;
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

async function respond(request: IncomingMessage, response: ServerResponse, options: CodecServerOptions): Promise<void> {
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('cache-control', 'no-store');
  const path = pathOf(request);
  if (path === '/healthz') return json(response, 200, { status: 'ok' });
  if (path.endsWith('/login')) return signIn(request, response, options);
  const end = /\/(decode|encode)$/.exec(path)?.[1] as 'decode' | 'encode' | undefined;
  if (!end || (end === 'encode' && !options.encodes)) throw new Refusal(404, `expected POST /${options.encodes ? 'encode or /' : ''}decode`); // prettier-ignore

  allowOrigin(request, response, options.origins);
  if (request.method === 'OPTIONS') return preflight(response);
  if (request.method !== 'POST') throw new Refusal(405, 'expected POST');
  // Before the body is read: a stranger shall not fill the memory.
  await authenticate(request, options);
  const payloads = payloadsOf(parseJson(await bodyOf(request, BODY_BYTES)));
  const answer = await options.codec[end](payloads).catch((error: Error) => {
    throw isFailure(error, 'WrongKey', 'PayloadCorrupt') ? new Refusal(400, error.message) : error;
  });
  json(response, 200, { payloads: answer.map(toJson) });
}

/** Browsers ask with the page's origin; programs, which need no permission of ours to read the answer, with none. */
function allowOrigin({ headers }: IncomingMessage, response: ServerResponse, origins: string[]): void {
  response.setHeader('vary', 'Origin');
  if (headers.origin === undefined) return;
  if (!origins.includes(headers.origin)) throw new Refusal(403, 'expected a page of the Temporal UI (WINDLASS_CODEC_ORIGINS)'); // prettier-ignore
  response.setHeader('access-control-allow-origin', headers.origin);
  response.setHeader('access-control-allow-credentials', 'true');
}

function preflight(response: ServerResponse): void {
  response.writeHead(204, {
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'authorization, authorization-extras, content-type, x-namespace',
    'access-control-max-age': '600',
  });
  response.end();
}

async function authenticate({ headers }: IncomingMessage, { token }: CodecServerOptions): Promise<void> {
  const secret = await token();
  if (isSame(headers.authorization ?? '', `Bearer ${secret}`)) return;
  if (hasSession(headers.cookie, secret, Date.now())) return;
  throw new Refusal(401, 'expected the bearer token of the codec server, or a browser that signed in at /login');
}

async function signIn(
  request: IncomingMessage,
  response: ServerResponse,
  { token }: CodecServerOptions,
): Promise<void> {
  if (request.method !== 'POST') return page(response, 200, FORM);
  const given = new URLSearchParams(await bodyOf(request, FORM_BYTES)).get('token') ?? '';
  const secret = await token();
  if (!isSame(given, secret)) return page(response, 401, `<p>This is not the token.</p>${FORM}`);
  response.setHeader('set-cookie', sessionCookie(secret, Date.now()));
  page(
    response,
    200,
    '<p>Signed in for 12 hours: the Temporal UI shows what is encrypted once its page is loaded again.</p>',
  );
}

const FORM =
  '<form method="post" action="login"><label>Token of the codec server <input name="token" type="password" ' +
  'autocomplete="current-password" required autofocus></label> <button>Sign in</button></form>';

function page(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    'referrer-policy': 'no-referrer',
  });
  response.end(`<!doctype html><html lang="en"><title>Windlass codec server</title><main>${body}</main></html>`);
}

/** `Payloads` as JSON of protobuf: bytes are base64, and what is empty may be left out. */
const payloadsSchema = z.object({
  payloads: z
    .array(z.object({ metadata: z.record(z.string(), z.base64()).default({}), data: z.base64().default('') }))
    .max(10_000)
    .default([]),
});

function payloadsOf(body: unknown): Payload[] {
  const parsed = payloadsSchema.safeParse(body);
  if (!parsed.success) throw new Refusal(400, describeIssues(parsed.error).slice(0, 1000));
  return parsed.data.payloads.map(({ metadata, data }) => ({
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')])),
    data: Buffer.from(data, 'base64'),
  }));
}

const toJson = ({ metadata, data }: Payload): object => ({
  metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)])),
  data: base64(data ?? new Uint8Array()),
});
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Without the query: the UI adds one of its own. */
const pathOf = ({ url }: IncomingMessage): string => (url ?? '').split('?', 1)[0]!;
