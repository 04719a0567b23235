import { getConnInfo } from '@hono/node-server/conninfo';
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { isFailure } from '../../adapters/failure.ts';
import { Refusal } from '../requests.ts';
import { wantsPage, type App } from './context.ts';
import { gateRoutes } from './gate-routes.ts';
import { headersOf } from './headers.ts';
import { addressOf, createLimiter, LIMITS, TooMany, type Limits } from './limits.ts';
import type { Desk } from './desk.ts';
import { message } from './pages/layout.ts';
import { signInLink } from './pages/sign-in.ts';
import { STYLE } from './pages/style.ts';
import { createSessions } from './sessions.ts';
import { signInRoutes, type SignInRoutes } from './sign-in-routes.ts';
import { slackRoutes, type SlackRoutes } from './slack/routes.ts';
import { Unknown, type Identification } from './who.ts';

/** Above what the longest form takes: 20 fields and a comment of 1,000 characters each, percent-encoded. */
const BODY_BYTES = 256 * 1024;

export interface ApprovalsOptions extends Pick<Identification, 'readToken'>, Pick<SignInRoutes, 'signIn'> {
  /** Origin of this server, as browsers see it: `https://approvals.example.com`. */
  origin: string;
  desk: Desk;
  /** Seals cookies: the same for every process behind one address. */
  sessionSecret: string;
  /** Proxies in front, each of which adds to X-Forwarded-For. */
  proxies: number;
  limits?: Partial<Limits>;
  /** Address of a run in the Temporal UI. */
  linkTo?: (workflowId: string, runId: string) => string;
  slack?: Pick<SlackRoutes, 'signingSecret' | 'answer'>;
  log: Record<'info' | 'warn' | 'error', (fields: object, text: string) => void>;
}

/** Gates for people with a browser, for programs with a token, and for Slack. */
export function createApprovals(options: ApprovalsOptions): App {
  const { origin, desk, log, readToken } = options;
  const limiter = createLimiter({ ...LIMITS, ...options.limits });
  const sessions = createSessions(options.sessionSecret, origin);
  const layout = { style: STYLE.path };
  const app: App = new Hono();

  app.use(headersOf(origin));
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  app.get(STYLE.path, (context) => {
    context.header('cache-control', 'public, max-age=31536000, immutable');
    return context.body(STYLE.css, 200, { 'content-type': 'text/css; charset=utf-8' });
  });
  app.use(async (context, next) => {
    context.header('cache-control', 'no-store');
    const socket = getConnInfo(context).remote.address;
    const address = addressOf(socket, context.req.header('x-forwarded-for'), options.proxies);
    context.set('address', address);
    await limiter.perAddress.take(address);
    await next();
  });
  app.use(
    bodyLimit({
      maxSize: BODY_BYTES,
      onError: () => {
        throw new Refusal(413, `expected at most ${BODY_BYTES} bytes`);
      },
    }),
  );
  app.get('/', (context) => context.redirect('/gates', 303));
  signInRoutes(app, { ...options, sessions, limiter, layout });
  gateRoutes(app, { desk, sessions, limiter, readToken, layout, log, linkTo: options.linkTo });
  if (options.slack) slackRoutes(app, { ...options.slack, origin, desk, limiter, log });
  app.notFound((context) => refuse(context, new Refusal(404, 'there is nothing here')));
  app.onError((error, context) => refuse(context, error));
  return app;

  /** In words that are meant to be read; what went wrong inside of us is for the log. */
  function refuse(context: Context, error: Error): Response | Promise<Response> {
    const known = error instanceof Refusal;
    const status = known ? error.status : isFailure(error, 'Unavailable') ? 503 : 500;
    const text = known ? error.message : status === 503 ? 'a service that is needed does not answer: try again later' : 'this did not work; what went wrong is in the log of the server'; // prettier-ignore
    const { method, path } = context.req;
    const why = error.cause instanceof Error ? error.cause.message : known ? text : error.message;
    log[status < 500 ? 'info' : status === 503 ? 'warn' : 'error']({ method, path, status, why }, 'refused');
    context.header('cache-control', 'no-store');
    if (error instanceof TooMany) context.header('retry-after', String(error.retryAfterSeconds));
    if (status === 401) context.header('www-authenticate', 'Bearer');
    context.status(status as 400);
    if (!wantsPage(context)) return context.json({ error: text });
    if (error instanceof Unknown)
      return context.html(
        message({ ...layout, title: 'Sign in' }, 'Sign in to see what waits for you.', signInLink(path)),
      );
    return context.html(message({ ...layout, title: `Not possible (${status})` }, text));
  }
}
