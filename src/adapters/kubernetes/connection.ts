import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, request, type Dispatcher } from 'undici';

/** One exchange with an API server; any status is an answer. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export interface Exchange {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path with its query, from the root of the API server. */
  path: string;
  /** JSON, unless `contentType` says otherwise. */
  body?: unknown;
  contentType?: string;
  timeoutMs: number;
}

export interface Connection {
  /** @throws what the network gave: nothing is known about the effect then; NotFound when there is no way to the server */
  exchange(exchange: Exchange): Promise<Answer>;
}

/** Idle connections are kept this long: less than the 90 s after which an API server closes them. */
const KEEP_ALIVE_MS = 60_000;
/** Enough for parallel reads; many procedures queue here instead of opening a connection each. */
const CONNECTIONS = 32;

/**
 * Speaks HTTP to the API server of the kubeconfig's current context, with whatever credentials that one has (token,
 * certificate, exec plugin). The client library makes a new connection pool for every request, which costs a TLS
 * handshake each; here one pool lives as long as the credentials do. Nothing is retried: Temporal does, visibly.
 */
export function createConnection(config: KubeConfig): Connection {
  const cluster = config.getCurrentCluster();
  const server = cluster?.server.replace(/\/$/, '') ?? '';
  let pool: { key: string; dispatcher: Dispatcher } | undefined;

  return {
    async exchange({ method, path, body, contentType = 'application/json', timeoutMs }) {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      const answer = await request(`${server}${path}`, {
        method,
        dispatcher: await dispatcherFor(options),
        headers: {
          accept: 'application/json, */*',
          'user-agent': 'windlass',
          ...(options.auth ? { authorization: `Basic ${Buffer.from(options.auth).toString('base64')}` } : {}),
          ...(options.headers as Record<string, string>),
          ...(body === undefined ? {} : { 'content-type': contentType }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
    },
  };

  /** The pool for these credentials; renewed credentials get a new one, and the old one ends with its last request. */
  async function dispatcherFor(options: RequestOptions): Promise<Dispatcher> {
    const wanted = config.createDispatcherOptions(cluster, options as object);
    const key = JSON.stringify(wanted);
    if (pool?.key === key) return pool.dispatcher;
    void pool?.dispatcher.close().catch(() => undefined);
    const common = { keepAliveTimeout: KEEP_ALIVE_MS, connections: CONNECTIONS, allowH2: false };
    const connect = wanted.type === 'agent' ? wanted.connect : undefined;
    const proxied = wanted.type === 'proxy' || wanted.type === 'socks';
    const dispatcher = proxied ? await libraryDispatcher() : new Agent({ ...common, ...(connect ? { connect } : {}) });
    pool = { key, dispatcher };
    return dispatcher;
  }

  /** The library knows how to go through proxies; its pool is kept like ours. */
  async function libraryDispatcher(): Promise<Dispatcher> {
    const { HttpMethod, RequestContext } = await import('@kubernetes/client-node');
    const context = new RequestContext(server, HttpMethod.GET);
    await config.applySecurityAuthentication(context);
    return context.getDispatcher() ?? new Agent();
  }
}
