import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Faults, faultSchema, type Fault } from './faults.ts';
import { RequestLog } from './request-log.ts';
import { answerSlackWebhook, SLACK_ERRORS } from './slack-contract.ts';
import { startSmtp } from './smtp.ts';
import { Vendors, withoutSecrets } from './vendors.ts';

const MAX_BODY_BYTES = 1024 * 1024;
const CREDENTIALS = new Set(['authorization', 'cookie', 'proxy-authorization']);

interface Answer {
  status: number;
  body: string;
  headers?: Record<string, string>;
}

export interface Receivers {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  url: string;
  smtpPort: number;
  close(): Promise<void>;
}

const json = (status: number, value: unknown): Answer => ({
  status,
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json' },
});

function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function answerWebhook(method: string, body: string): Answer {
  if (method !== 'POST') return { ...json(405, { error: 'expected POST' }), headers: { allow: 'POST' } };
  return parseJson(body) ? json(200, { ok: true }) : json(400, { error: 'expected a JSON body' });
}

function refusalOf(fault: Fault, path: string): Answer {
  const status = fault.status!;
  const headers: Record<string, string> = status === 429 ? { 'retry-after': String(fault.retryAfterSeconds) } : {};
  const slackWord = path.startsWith('/slack/') ? SLACK_ERRORS[status] : undefined;
  return { status, body: slackWord ?? `fault ${status}`, headers };
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return size <= MAX_BODY_BYTES ? Buffer.concat(chunks).toString('utf8') : undefined;
}

interface Kept {
  log: RequestLog;
  faults: Faults;
  vendors: Vendors;
}

function administer(url: URL, method: string, body: string, { log, faults, vendors }: Kept): Answer {
  switch (`${method} ${url.pathname}`) {
    case 'GET /healthz':
      return json(200, { status: 'healthy' });
    case 'GET /requests':
      return json(200, log.list(url.searchParams.get('path') ?? undefined));
    case 'DELETE /requests':
      log.forget();
      return { status: 204, body: '' };
    case 'GET /shown':
      return json(200, vendors.shown(url) ?? []);
    case 'GET /faults':
      return json(200, faults.list());
    case 'DELETE /faults':
      faults.clear();
      return { status: 204, body: '' };
    case 'PUT /faults': {
      const fault = faultSchema.safeParse(parseJson(body)?.value);
      if (!fault.success) return json(400, { error: fault.error.issues });
      faults.set(fault.data);
      return json(200, fault.data);
    }
    default:
      return json(404, {
        error: 'expected /slack/…, /webhook/…, a path of a vendor, /requests, /shown, /faults or /healthz',
      });
  }
}

/**
 * Receives what procedures send to people and systems, and keeps it. `/slack/<channel>` answers as Slack's incoming webhooks
 * do, `/slack/responses/<id>` as the address of an interaction does, `/webhook/<name>` takes any JSON; `/pagerduty/<account>` and `/statuspage` are followed by the vendor's own paths. It
 * deduplicates as the vendor does, and no more: `/shown?account=` and `/shown?page=` tell what people see there.
 * @param options port 0 takes a free one, without `smtpPort` too; `logFile` gets a JSON line per request, before its answer
 */
export async function startReceivers(options: {
  port: number;
  smtpPort?: number;
  logFile: string;
}): Promise<Receivers> {
  const log = new RequestLog(options.logFile);
  const faults = new Faults();
  const vendors = new Vendors();
  const smtp = await startSmtp(options.smtpPort ?? 0, log, faults);

  async function receive(request: IncomingMessage, url: URL, body: string | undefined): Promise<Answer | 'lost'> {
    const { pathname: path } = url;
    const fault = faults.take(path, request.method);
    const answer = fault?.status ? refusalOf(fault, path) : judge(request, url, body);
    const accepted = answer.status < 300;
    const lost = fault?.dropResponse === true && accepted;
    log.append({
      time: new Date().toISOString(),
      method: request.method!,
      path,
      headers: Object.fromEntries(Object.entries(request.headers).filter(([name]) => !CREDENTIALS.has(name))) as Record<
        string,
        string
      >,
      body: withoutSecrets(parseJson(body ?? '')?.value ?? body ?? ''),
      status: answer.status,
      outcome: lost ? 'lost' : accepted ? 'accepted' : 'refused',
    });
    // Without ref: closing does not wait for answers that are still delayed.
    if (fault?.delayMs) await sleep(fault.delayMs, undefined, { ref: false });
    return lost ? 'lost' : answer;
  }

  function judge({ method = '', headers }: IncomingMessage, url: URL, body: string | undefined): Answer {
    if (body === undefined) return { status: 413, body: 'payload too large' };
    const { 'content-type': contentType = '', authorization = '' } = headers;
    const path = url.pathname;
    if (path.startsWith('/slack/'))
      return answerSlackWebhook({ method, contentType, body, responds: path.startsWith('/slack/responses/') });
    if (path.startsWith('/webhook/')) return answerWebhook(method, body);
    const answer = vendors.answer({ method, url, contentType, authorization, body });
    return answer ? json(answer.status, answer.body) : json(404, { error: 'not a path of this vendor' });
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, 'http://receivers');
    const body = await readBody(request);
    const answer = /^\/(slack|webhook|pagerduty|statuspage)\/./.test(url.pathname)
      ? await receive(request, url, body)
      : administer(url, request.method!, body ?? '', { log, faults, vendors });
    if (answer === 'lost') return void request.socket.destroy();
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy());
  });
  await once(server.listen(options.port, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    smtpPort: smtp.port,
    async close() {
      await smtp.close();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      log.close();
    },
  };
}
