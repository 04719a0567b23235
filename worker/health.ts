import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { Address } from './config.ts';

/** What keeps the worker from being ready, in words; empty when nothing does. */
export type Readiness = () => Promise<string[]>;

/**
 * Serves `/healthz` (the process answers; for liveness) and `/readyz` (200 when it polls and the namespace keeps
 * histories, else 503 and why).
 */
export async function serveHealth({ host, port }: Address, readiness: Readiness): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (request.url === '/healthz') return answer(200, { status: 'ok' });
    if (request.url !== '/readyz') return answer(404, { error: 'expected /healthz or /readyz' });
    readiness().then(
      (faults) => answer(faults.length === 0 ? 200 : 503, { ready: faults.length === 0, faults }),
      (error: Error) => answer(503, { ready: false, faults: [error.message] }),
    );
  });
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}
