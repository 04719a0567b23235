import { once } from 'node:events';
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { createApprovals, type ApprovalsOptions } from './app.ts';

export interface ApprovalServerOptions extends ApprovalsOptions {
  host: string;
  port: number;
}

/** Serves approvals over HTTP. TLS is for what stands in front. */
export async function serveApprovals({ host, port, ...options }: ApprovalServerOptions): Promise<Server> {
  const { fetch } = createApprovals(options);
  const server = createAdaptorServer({ fetch, serverOptions: { requestTimeout: 10_000 } }) as Server;
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}
