import { request, type Agent, type IncomingMessage } from 'node:http';
import type { ConnectionKind, LoadRecorder } from './load-report.ts';

const FAILURE_KINDS: Record<string, string> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
};

function failureKind(error: NodeJS.ErrnoException): string {
  const code = error.code ?? error.name;
  return FAILURE_KINDS[code] ?? `other_${code}`;
}

function failureOfAnswer(response: IncomingMessage, body: string): string | undefined {
  const status = response.statusCode ?? 0;
  if (status < 200 || status > 299) return `http_${status}`;
  if (!response.headers['content-type']?.startsWith('application/json')) return undefined;
  try {
    JSON.parse(body);
    return undefined;
  } catch {
    return 'invalid_body';
  }
}

export interface LoadRequest {
  url: URL;
  agent: Agent;
  connection: ConnectionKind;
  /** Lower case. */
  versionHeader: string;
  timeoutMs: number;
  recorder: LoadRecorder;
}

/**
 * Sends one GET and records its end exactly once. Never rejects and never retries: Node's client sends a request once, also
 * when a kept connection turns out to be dead.
 */
export function sendOnce(options: LoadRequest): Promise<void> {
  const { url, agent, connection, versionHeader, timeoutMs, recorder } = options;
  const counts = recorder.connections[connection];
  const started = performance.now();
  recorder.issue(connection);
  return new Promise((resolve) => {
    let version: string | null = null;
    let settled = false;
    const settle = (failure?: string): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      recorder.settle({ connection, version, failure, latencyMs: performance.now() - started, at: Date.now() });
      resolve();
    };
    const sent = request(url, { agent });
    const timer = setTimeout(() => {
      settle('timeout');
      sent.destroy();
    }, timeoutMs);

    sent.on('socket', (socket) => {
      if (sent.reusedSocket) counts.reused += 1;
      else if (socket.connecting) socket.once('connect', () => (counts.opened += 1));
    });
    sent.on('error', (error) => settle(failureKind(error)));
    sent.on('response', (response) => {
      const header = response.headers[versionHeader];
      version = typeof header === 'string' ? header : 'unknown';
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => settle(failureOfAnswer(response, body)));
      // The connection went away, or spoke nonsense, between headers and the end of the body.
      response.on('error', () => settle('short_body'));
      response.on('close', () => settle('short_body'));
    });
    sent.end();
  });
}
