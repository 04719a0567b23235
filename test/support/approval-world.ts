import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { CLIENT_ID, startOpenIdProvider, type OpenIdProvider } from './openid-provider.ts';
import { startReceivers, type Receivers } from './receivers/server.ts';

const PROGRAM = join(import.meta.dirname, '../../worker/approval-server.ts');

/** The approval server as a process, the provider where its people sign in, and where Slack would get its messages. */
export interface ApprovalWorld {
  /** Of the approval server. */
  origin: string;
  provider: OpenIdProvider;
  receivers: Receivers;
  slackSecret: string;
  /** What a worker needs so that statements count and notices get buttons. */
  workerEnv: Record<string, string>;
  /** What a system's file needs so that tokens of the provider count. */
  identity: object;
  /** Starts the approval server with the catalog that the worker has. */
  serve(env: Record<string, string>): Promise<void>;
  /** A request of a program: with the token of a person. */
  ask(path: string, by?: string, body?: object): Promise<{ status: number; body: Record<string, unknown> }>;
  /** What the server logged. */
  log(): string;
  close(): Promise<void>;
}

export async function openApprovalWorld(): Promise<ApprovalWorld> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const provider = await startOpenIdProvider(`${origin}/login/callback`);
  const receivers = await startReceivers({
    port: 0,
    logFile: join(mkdtempSync(join(tmpdir(), 'windlass-approvals-')), 'received.jsonl'),
  });
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const slackSecret = randomBytes(16).toString('hex');
  let logged = '';
  let stop: (() => Promise<void>) | undefined;

  return {
    ...{ origin, provider, receivers, slackSecret },
    identity: { issuers: [{ issuer: provider.issuer, audience: CLIENT_ID }] },
    workerEnv: {
      WINDLASS_STATEMENT_KEYS: 'env:STATEMENT_PUBLIC_KEY',
      STATEMENT_PUBLIC_KEY: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      WINDLASS_APPROVAL_URL: origin,
      WINDLASS_SLACK_URL: `${receivers.url}/slack/ops`,
    },
    async serve(env) {
      const child = spawn(process.execPath, [PROGRAM], {
        env: {
          ...process.env,
          ...{ WINDLASS_APPROVAL_URL: origin, WINDLASS_APPROVAL_ADDRESS: `127.0.0.1:${port}` },
          ...{ WINDLASS_OIDC_ISSUER: provider.issuer, WINDLASS_OIDC_CLIENT_ID: CLIENT_ID },
          WINDLASS_STATEMENT_KEY: 'env:STATEMENT_KEY',
          STATEMENT_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
          WINDLASS_SLACK_SIGNING_SECRET: 'env:SLACK_SIGNING_SECRET',
          SLACK_SIGNING_SECRET: slackSecret,
          ...env,
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      child.stdout.on('data', (chunk: Buffer) => (logged += chunk.toString()));
      stop = async () => {
        if (child.exitCode !== null) return;
        child.kill();
        await once(child, 'exit');
      };
      await waitFor('the approval server', async () => logged.includes('"msg":"ready"'), {
        timeoutSeconds: 60,
        giveUp: () => {
          if (child.exitCode !== null) throw new Error(`the approval server ended: ${logged}`);
        },
      });
    },
    async ask(path, by, body) {
      const response = await fetch(`${origin}${path}`, {
        method: body ? 'POST' : 'GET',
        headers: {
          ...(by ? { authorization: `Bearer ${await provider.tokenOf(by)}` } : {}),
          ...(body ? { 'content-type': 'application/json' } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    log: () => logged,
    async close() {
      await stop?.();
      await Promise.all([provider.close(), receivers.close()]);
    },
  };
}

/** A port that nobody has now: the provider must know where people come back to before the server listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
