import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { describeIssues } from '../contracts/contract.ts';
import { webhookSchema, bundlesOf, type Bundle } from './alertmanager.ts';
import { bodyOf, isSame, parseJson, Refusal } from './requests.ts';

/**
 * Alertmanager sends a group at once, and what is refused as too long it never sends again: five thousand alerts of 3 KB,
 * which is a long one, stay below.
 */
const BODY_BYTES = 16 * 1024 * 1024;

export interface IntakeOptions {
  host: string;
  port: number;
  /** Reads the bearer token anew for each request, so that it can be changed without a restart. */
  token: () => Promise<string>;
  /** Returns when the alerts are durable; throws when they are not. */
  take: (bundle: Bundle) => Promise<void>;
  log: Record<'info' | 'warn', (fields: object, text: string) => void>;
}

/**
 * Serves `POST /alerts` for Alertmanager's webhooks. It answers 2xx only after every alert of the webhook is durable in
 * Temporal, so that a crash at any moment loses none: Alertmanager repeats what came to 5xx, gives up on 4xx, and an
 * incident knows a repeat.
 */
export async function serveIntake(options: IntakeOptions): Promise<Server> {
  const { host, port, log } = options;
  const server = createServer((request, response) => {
    const answer = (status: number, body: object): void => {
      // What was not read of a body that is too long must not be taken for the next request.
      response.writeHead(status, {
        'content-type': 'application/json',
        ...(status >= 400 ? { connection: 'close' } : {}),
        ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      });
      response.end(JSON.stringify(body));
    };
    receive(request, options).then(
      (taken) => answer(202, taken),
      (error: Error) => {
        const status = error instanceof Refusal ? error.status : 503;
        log.warn({ status, error: error.message }, 'alerts were not taken');
        answer(status, { error: status === 503 ? 'the alerts could not be kept; send them again' : error.message });
      },
    );
  });
  server.requestTimeout = 10_000;
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

async function receive(
  request: IncomingMessage,
  { token, take, log }: IntakeOptions,
): Promise<{ incidents: number; alerts: number; ignored: number }> {
  if (request.url !== '/alerts') throw new Refusal(404, 'expected POST /alerts');
  if (request.method !== 'POST') throw new Refusal(405, 'expected POST');
  // Before the body is read: a stranger shall not fill the memory.
  if (!isSame(request.headers.authorization ?? '', `Bearer ${await token()}`))
    throw new Refusal(401, 'expected the bearer token of the intake');
  const parsed = webhookSchema.safeParse(parseJson(await bodyOf(request, BODY_BYTES)));
  if (!parsed.success) throw new Refusal(400, describeIssues(parsed.error).slice(0, 1000));
  const { bundles, ignored } = bundlesOf(parsed.data);
  if (bundles.length === 0)
    throw new Refusal(422, 'expected labels "system" and "environment" (and "service") that name one of the catalog');
  await Promise.all(bundles.map(take));
  const alerts = bundles.reduce((sum, bundle) => sum + bundle.alerts.length, 0);
  log.info({ incidents: bundles.length, alerts, ignored }, 'alerts taken');
  return { incidents: bundles.length, alerts, ignored };
}
