import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowHandleWithStartDetails } from '@temporalio/client';
import { createStatementActivities } from '../../activities/statements.ts';
import {
  CLIENT,
  RESOURCE,
  SERVICE_CLIENT,
  startProvider,
  type RunningProvider,
} from '../../scripts/sandbox/identity/provider.ts';
import { createStatementSigner, createStatementVerifier } from '../../src/adapters/identity/statements.ts';
import { createTokenVerifier } from '../../src/adapters/identity/tokens.ts';
import { parseFile } from '../../src/catalog/parse.ts';
import { readSystems } from '../../src/catalog/read-systems.ts';
import { compileEnvironment } from '../../src/catalog/slice.ts';
import type { DecisionResult, GateSpec, GateView } from '../../src/contracts/gates.ts';
import { gateId } from '../../src/contracts/gate-id.ts';
import { createDesk } from '../../src/server/approvals/desk.ts';
import { identifyBy, issuersOf } from '../../src/server/approvals/identify.ts';
import { serveApprovals } from '../../src/server/approvals/serve.ts';
import { windlass, type CliResult } from '../support/cli.ts';
import { logInByForm } from '../support/login.ts';
import { startLocalServer, type TestTemporal } from '../support/temporal.ts';
import type { GatedResult } from '../support/workflows/gated.ts';

// A real OpenID provider, a real login of the command line, a real approval server and a real Temporal server.
const ACCOUNTS = [
  { name: 'ana', email: 'ana@example.com', groups: [] },
  { name: 'dan', email: 'dan@example.com', groups: [] },
  { name: 'gil', email: 'gil@example.com', groups: ['platform-leads'] },
  { name: 'eve', email: 'eve@example.com', groups: ['platform-leads'] },
];
const systemOf = (issuer: string): string => `
apiVersion: windlass/v1
system: test
description: A system whose people log in
environments:
  local: { cluster: { context: here }, namespace: test }
services:
  web: { workload: { name: web }, container: app, kubernetesService: web, port: 80, health: { path: /health } }
people:
  - { name: ana, roles: [lead], identity: { email: ana@example.com } }
  - { name: dan, roles: [dev], identity: { email: dan@example.com } }
  - { name: gil, roles: [dev], identity: { subject: gil } }
  - { name: kim, roles: [lead] }
  - { name: robot, roles: [lead], service: true, identity: { subject: ${SERVICE_CLIENT.id} } }
identity:
  issuers:
    - { issuer: '${issuer}', audience: ${CLIENT} }
    - { issuer: '${issuer}', audience: '${RESOURCE}' }
  groups: { platform-leads: [lead] }
`;
const spec: GateSpec = {
  ...{ name: 'lead', kind: 'approval', asks: 'Go?', roles: ['lead'], quorum: 1, fourEyes: true },
  expiresAfterMs: 3_600_000,
};

let provider: RunningProvider;
let temporal: TestTemporal;
let approvals: Server;
let catalog: { systems: ReturnType<typeof readSystems>['systems'] };
let url: string;
const homes: string[] = [];

beforeAll(async () => {
  provider = await startProvider({ port: 0, accounts: ACCOUNTS });
  const { systems, problems } = readSystems([parseFile('test.yaml', systemOf(provider.issuer))], []);
  expect(problems).toEqual([]);
  catalog = { systems };
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const signer = await createStatementSigner(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  const statements = await createStatementVerifier(publicKey.export({ type: 'spki', format: 'pem' }).toString());
  temporal = await startLocalServer({
    workflows: 'test/support/workflows/gated.ts',
    activities: () => ({
      notify: async ({ channels }: { channels: string[] }) => ({ delivered: channels, failed: [] }),
      ...createStatementActivities({ statements }),
    }),
  });
  const tokens = createTokenVerifier();
  const silent = (): void => undefined;
  approvals = await serveApprovals({
    ...{ host: '127.0.0.1', port: 0, origin: 'http://127.0.0.1:1', sessionSecret: 's'.repeat(32), proxies: 0 },
    log: { info: silent, warn: silent, error: silent },
    desk: createDesk({
      client: temporal.client,
      catalog: { current: async () => catalog },
      identify: identifyBy(provider.issuer),
      sign: (claims) => signer.sign(claims),
    }),
    readToken: (token) => tokens.read(token, issuersOf(catalog)),
    signIn: { begin: () => Promise.reject(new Error('no browser')), complete: () => Promise.reject(new Error('none')) },
  });
  url = `http://127.0.0.1:${(approvals.address() as AddressInfo).port}`;
});
afterAll(async () => {
  approvals.closeAllConnections();
  approvals.close();
  await provider.close();
  await temporal.stop();
  for (const home of homes) rmSync(home, { recursive: true });
});

/** Somebody at a machine of their own. */
interface Someone {
  env: Record<string, string>;
  login: CliResult;
  file: string;
}

async function logIn(name: string): Promise<Someone> {
  const home = mkdtempSync(join(tmpdir(), 'windlass-login-'));
  homes.push(home);
  const env = {
    WINDLASS_STATE: home,
    WINDLASS_OIDC_ISSUER: provider.issuer,
    WINDLASS_APPROVAL_URL: url,
    TEMPORAL_ADDRESS: temporal.env.address,
    TEMPORAL_NAMESPACE: temporal.env.namespace ?? 'default',
  };
  let opened: Promise<unknown> | undefined;
  const login = await windlass(['login'], {
    env,
    onOutput({ out, err }) {
      const [address] = /http:\/\/127\.0\.0\.1:\d+\/auth\?\S+/.exec(out + err) ?? [];
      if (address) opened ??= logInByForm(address, name);
    },
  });
  await opened;
  return { env, login, file: join(home, 'login.json') };
}

type Handle = WorkflowHandleWithStartDetails;
const start = (requestedBy = 'kim'): Promise<Handle> => {
  const { people, identity } = compileEnvironment(catalog, {
    system: 'test',
    environment: 'local',
  }).environment;
  expect(identity).toBe('verified');
  const input = { rounds: [[spec]], people, requestedBy, digest: 'sha256:plan', identity };
  const workflowId = `gated/${randomUUID()}`;
  return temporal.client.workflow.start('gated', {
    ...{ taskQueue: temporal.taskQueue, workflowId, args: [input] },
    memo: { requestedBy, summary: 'a test' },
  });
};
const gateOf = async (handle: Handle): Promise<GateView> => (await handle.query<GateView[]>('gates'))[0]!;
const untouched = async (handle: Handle) =>
  expect(await gateOf(handle)).toMatchObject({ outcome: 'waiting', approvals: [], decisions: [] });

test('H-28 a person logs in by the provider with PKCE, and approves; no token enters history', async () => {
  const handle = await start();
  const ana = await logIn('ana');
  expect(ana.login).toMatchObject({ code: 0 });
  expect(ana.login.out + ana.login.err).toContain('code_challenge_method=S256');
  expect(statSync(ana.file).mode & 0o777).toBe(0o600);
  expect((await windlass(['whoami'], { env: ana.env })).out).toContain('ana@example.com');

  const approved = await windlass(['approve', handle.workflowId, 'lead', '--yes'], { env: ana.env });
  expect(approved).toMatchObject({ code: 0, out: expect.stringContaining('Gate lead is approved') });
  expect(await (handle.result() as Promise<GatedResult>)).toMatchObject({ outcome: 'approved' });
  expect((await gateOf(handle)).approvals).toMatchObject([
    { by: 'ana', verified: { how: 'oidc', issuer: provider.issuer, subject: 'ana' } },
  ]);

  const { token } = JSON.parse(readFileSync(ana.file, 'utf8')) as { token: string };
  const history = await textOf(handle);
  expect(history).toContain('verifyStatement');
  for (const part of token.split('.')) expect(history).not.toContain(part);
  expect(history).not.toContain('ana@example.com');

  await windlass(['logout'], { env: ana.env });
  expect((await windlass(['whoami'], { env: ana.env })).code).toBe(1);
});

/** The history with every payload readable. */
async function textOf(handle: Handle): Promise<string> {
  const { events } = await handle.fetchHistory();
  return JSON.stringify(events, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
  );
}

test('H-28 a name alone, and a login without the role, are refused', async () => {
  const handle = await start();
  const { code } = await gateOf(handle);
  const message = { gate: 'lead', decision: 'approve', by: 'ana', code };
  const declared = await handle.executeUpdate<DecisionResult, [unknown]>('decide', { args: [message] });
  expect(declared.code).toBe('identity-required');
  const dan = await logIn('dan');
  const refused = await windlass(['approve', handle.workflowId, 'lead', '--yes', '--as', 'ana'], { env: dan.env });
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('wrong-role') });
  await untouched(handle);
});

test('H-28 a group of the provider grants a role to a person of the catalog, and to nobody else', async () => {
  const handle = await start();
  const eve = await logIn('eve');
  const stranger = await windlass(['approve', handle.workflowId, 'lead', '--yes'], { env: eve.env });
  expect(stranger).toMatchObject({ code: 1, err: expect.stringContaining('none of yours') });
  await untouched(handle);
  const gil = await logIn('gil');
  expect(await windlass(['approve', handle.workflowId, 'lead', '--yes'], { env: gil.env })).toMatchObject({ code: 0 });
});

test('H-28 nobody who is logged out approves', async () => {
  const handle = await start();
  const { env } = await logIn('ana');
  await windlass(['logout'], { env });
  const refused = await windlass(['approve', handle.workflowId, 'lead', '--yes'], { env });
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('windlass login') });
  await untouched(handle);
});

test('H-28 the provider takes no wrong password, and nothing without PKCE', async () => {
  const given = {
    client_id: CLIENT,
    response_type: 'code',
    scope: 'openid',
    redirect_uri: 'http://127.0.0.1:9/callback',
  };
  const plain = new URL(`/auth?${new URLSearchParams(given).toString()}`, provider.issuer);
  const answer = await fetch(plain, { redirect: 'manual' });
  expect(answer.headers.get('location')).toContain('error=invalid_request');
  plain.searchParams.set('code_challenge', 'a'.repeat(43));
  plain.searchParams.set('code_challenge_method', 'S256');
  await expect(logInByForm(plain.href, 'ana', 'wrong')).rejects.toThrow('answered 401');
});

test('H-28 a service with a token of its own may stop a gate of four eyes, and not approve it', async () => {
  const handle = await start();
  const answer = await fetch(`${provider.issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${SERVICE_CLIENT.id}:${SERVICE_CLIENT.secret}`).toString('base64')}`,
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: RESOURCE, scope: 'decide' }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  const { code } = await gateOf(handle);
  const send = async (decision: string) => {
    const id = gateId({ workflowId: handle.workflowId, gate: 'lead' });
    const response = await fetch(`${url}/gates/${id}/decisions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ decision, code }),
    });
    return (await response.json()) as DecisionResult;
  };
  expect(await send('approve')).toMatchObject({ code: 'person-required' });
  await untouched(handle);
  expect(await send('reject')).toMatchObject({ code: 'recorded' });
  expect((await gateOf(handle)).rejection).toMatchObject({ by: 'robot', verified: { how: 'service' } });
});
