import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { createHmac, randomBytes } from 'node:crypto';
import { stringify } from 'yaml';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { gateId } from '../../src/contracts/gate-id.ts';
import type { GateView } from '../../src/contracts/gates.ts';
import { openApprovalWorld, type ApprovalWorld } from '../support/approval-world.ts';
import { findSecrets } from '../support/secret-scanner.ts';
import { startWorker, type WorkerProcess } from '../support/worker.ts';

// Runbooks that ask and tell: nothing of a cluster is touched. Everything else is real: the provider, the approval server as
// a process, signed statements, the worker that verifies them.
const TASK_QUEUE = `approvals-${randomBytes(3).toString('hex')}`;
const WORKSPACE = 'T012AB';
const WENT_ON = 'Two people agreed.';

let world: ApprovalWorld;
let worker: WorkerProcess;
let client: Client;
let connection: Connection;
let started = 0;

beforeAll(async () => {
  const { temporal } = readEndpoints();
  world = await openApprovalWorld();
  const catalog = {
    ...{ apiVersion: 'windlass/v1', system: 'desk', description: 'Asks people, and tells what they decided' },
    services: {
      nothing: {
        ...{ workload: { name: 'nothing' }, container: 'app', kubernetesService: 'nothing', port: 80 },
        health: { path: '/health' },
      },
    },
    identity: world.identity,
    environments: {
      [TASK_QUEUE]: {
        cluster: { context: 'windlass-sandbox' },
        namespace: TASK_QUEUE,
        production: true,
      },
    },
    people: [
      { name: 'ana', roles: ['lead'], contact: 'ana@example.com', slack: `${WORKSPACE}/U1ANA` },
      { name: 'bea', roles: ['lead'], contact: 'bea@example.com', slack: `${WORKSPACE}/U1BEA` },
      { name: 'dan', roles: ['devops'], contact: 'dan@example.com', slack: `${WORKSPACE}/U1DAN` },
      { name: 'kim', roles: ['developer'], contact: 'kim@example.com' },
    ],
    channels: { ops: { kind: 'slack', url: 'env:WINDLASS_SLACK_URL', buttons: true } },
    policies: { runRunbook: { notify: ['ops'] } },
    runbooks: {
      asks: {
        description: 'Asks, and then tells that it goes on',
        steps: [
          { gate: { name: 'go', asks: 'Shall it go on?', roles: ['lead'], quorum: 2, expiresAfter: '1h' } },
          { action: 'tell', with: { channels: ['ops'], text: WENT_ON } },
        ],
      },
      papers: {
        description: 'Asks for papers',
        steps: [
          {
            gate: {
              ...{ name: 'go', asks: 'Is it written down?', roles: ['lead'], comment: 'required', expiresAfter: '1h' },
              form: { properties: { ticket: { type: 'string', maxLength: 20 } }, required: ['ticket'] },
            },
          },
        ],
      },
      brief: {
        description: 'Does not wait long',
        steps: [{ gate: { name: 'go', asks: 'Now?', roles: ['lead'], expiresAfter: '1s' } }],
      },
    },
  };
  connection = await Connection.connect({ address: temporal.address });
  client = new Client({ connection, namespace: temporal.namespace });
  const env = { TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: temporal.namespace };
  const systems = mkdtempSync(join(tmpdir(), 'windlass-systems-'));
  writeFileSync(join(systems, 'desk.yaml'), stringify(catalog));
  worker = await startWorker({ taskQueue: TASK_QUEUE, systems, env: world.workerEnv });
  await world.serve({ ...env, WINDLASS_SYSTEMS: systems });
}, 180_000);
afterAll(async () => {
  await worker?.kill('SIGKILL');
  await world?.close();
  await connection?.close();
}, 60_000);

interface Parked {
  handle: WorkflowHandle;
  path: string;
  id: string;
  code: string;
  gate(): Promise<GateView>;
}

/** Starts a runbook and waits until its gate is open. */
async function park(runbook: string): Promise<Parked> {
  const handle = await client.workflow.start('runRunbook', {
    ...{ workflowId: `run/${TASK_QUEUE}/${++started}`, taskQueue: TASK_QUEUE },
    args: [{ system: 'desk', environment: TASK_QUEUE, runbook, requestedBy: 'kim' }],
    memo: { summary: `runbook ${runbook}`, requestedBy: 'kim' },
  });
  const gates = () => handle.query<GateView[]>('gates');
  await waitFor('the gate', async () => (await gates()).length > 0, { timeoutSeconds: 60 });
  const id = gateId({ workflowId: handle.workflowId, gate: 'go' });
  const gate = async () => (await gates())[0]!;
  return { handle, id, path: `/gates/${id}`, code: (await gate()).code, gate };
}

interface Message {
  path: string;
  body: { text: string; blocks?: { block_id?: string; elements?: { action_id: string; value?: string }[] }[] };
}

/** What Slack got at a path. */
const received = async (path: string): Promise<Message[]> =>
  (await (await fetch(`${world.receivers.url}/requests?path=${path}`)).json()) as Message[];

test('H-28.1 two people approve with tokens of the provider; a wrong issuer, audience or role and an expired token are refused, and no token is kept', async () => {
  const { handle, path, id, code, gate } = await park('asks');
  const decide = (by: string | undefined, said: object = {}) =>
    world.ask(`${path}/decisions`, by, { decision: 'approve', code, ...said });

  expect((await decide(undefined)).status).toBe(401);
  expect(await decide('dan')).toMatchObject({ status: 403, body: { code: 'wrong-role' } });
  expect(await decide('ana', { code: 'another-code' })).toMatchObject({ status: 409, body: { code: 'wrong-code' } });
  const forbidden = [await decide('mallory'), await world.ask(path, 'mallory')];
  const unknown = await world.ask(`/gates/${gateId({ workflowId: 'nothing', gate: 'go' })}`, 'mallory');
  for (const answer of forbidden) expect(answer).toEqual({ status: 404, body: unknown.body });
  const forged = await fetch(`${world.origin}${path}`, {
    headers: { authorization: `Bearer ${(await world.provider.tokenOf('ana')).slice(0, -8)}AAAAAAAA` },
  });
  expect(forged.status).toBe(401);
  const anHourAgo = Math.floor(Date.now() / 1000) - 3600;
  for (const over of [{ aud: 'another' }, { iss: 'https://evil.example.com' }, { exp: anHourAgo }]) {
    const token = await world.provider.tokenOf('ana', over);
    const { status } = await fetch(`${world.origin}${path}/decisions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ decision: 'approve', code }),
    });
    expect(status).toBe(401);
  }
  expect((await gate()).approvals).toEqual([]);
  const wentOn = async () => (await received('/slack/ops')).filter(({ body }) => body.text.includes(WENT_ON)).length;
  expect(await wentOn()).toBe(0);

  const { body: list } = await world.ask('/gates', 'ana');
  expect((list['gates'] as { run: { workflowId: string } }[]).map(({ run }) => run.workflowId)).toContain(handle.workflowId); // prettier-ignore
  expect(await world.ask(path, 'dan')).toMatchObject({ status: 200, body: { id, may: { approve: false } } });
  expect(await decide('ana', { reason: 'read the plan' })).toMatchObject({ status: 200, body: { code: 'recorded' } });
  expect(await decide('ana')).toMatchObject({ status: 403, body: { code: 'same-person' } });
  expect(await decide('bea')).toMatchObject({ status: 200, body: { code: 'recorded', gate: { outcome: 'approved' } } });
  await handle.result();
  expect(await wentOn()).toBe(1);
  expect(await decide('ana')).toMatchObject({ status: 409, body: { code: 'already-decided' } });

  const { approvals } = await gate();
  expect(approvals.map(({ by, verified }) => [by, verified])).toEqual([
    ['ana', { how: 'oidc', issuer: world.provider.issuer, subject: 'ana' }],
    ['bea', { how: 'oidc', issuer: world.provider.issuer, subject: 'bea' }],
  ]);
  const token = (await world.provider.tokenOf('ana')).split('.')[0]!;
  expect(findSecrets(JSON.stringify(await handle.fetchHistory()), { token })).toEqual([]);
  expect(world.log()).not.toContain(token);
}, 120_000);

test('what the gate asks for besides is asked for by HTTP 422, and what is too late by 410', async () => {
  const papers = await park('papers');
  const decide = (said: object) => world.ask(`${papers.path}/decisions`, 'ana', { decision: 'approve', code: papers.code, ...said }); // prettier-ignore
  expect(await decide({ fields: { ticket: 'C-1' } })).toMatchObject({
    status: 422,
    body: { code: 'comment-required' },
  });
  expect(await decide({ reason: 'done' })).toMatchObject({ status: 422, body: { code: 'invalid-fields' } });
  expect(await decide({ reason: 'done', fields: { ticket: 'C-1' } })).toMatchObject({ status: 200 });
  await papers.handle.result();

  const brief = await park('brief');
  await brief.handle.result().catch(() => undefined);
  const late = await world.ask(`${brief.path}/decisions`, 'ana', { decision: 'approve', code: brief.code });
  expect(late).toMatchObject({ status: 410, body: { code: 'expired' } });
}, 120_000);

test('H-28.2 a button of the notice in Slack decides for the person who presses it, and the message says so', async () => {
  const { handle, id } = await park('asks');
  const notice = await waitFor(
    'the notice',
    async () => (await received('/slack/ops')).find(({ body }) => body.text.includes(handle.workflowId)),
    { timeoutSeconds: 60 },
  );
  const actions = notice.body.blocks!.at(-1)!;
  const press = async (user: string, over: { secret?: string } = {}) => {
    const payload = {
      ...{ type: 'block_actions', user: { id: user }, team: { id: WORKSPACE } },
      response_url: `${world.receivers.url}/slack/responses/${user}`,
      message: notice.body,
      actions: [{ ...actions.elements![0], block_id: actions.block_id }],
    };
    const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
    const timestamp = String(Math.floor(Date.now() / 1000));
    const hmac = createHmac('sha256', over.secret ?? world.slackSecret).update(`v0:${timestamp}:${body}`);
    const response = await fetch(`${world.origin}/slack/interactions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...{ 'x-slack-request-timestamp': timestamp, 'x-slack-signature': `v0=${hmac.digest('hex')}` },
      },
      body,
    });
    return response.status;
  };
  const answerTo = (user: string) =>
    waitFor('the answer', async () => (await received(`/slack/responses/${user}`))[0]?.body.text, {
      timeoutSeconds: 30,
    });

  expect(await press('U1ANA', { secret: 'another' })).toBe(403);
  expect(await press('U1DAN')).toBe(200);
  expect(await answerTo('U1DAN')).toMatch(/^Not counted: dan has devops; gate go needs lead/);
  expect(await press('U9NOBODY')).toBe(200);
  expect(await answerTo('U9NOBODY')).toMatch(/no such gate, or you are not among/);
  expect(await press('U1ANA')).toBe(200);
  expect(await answerTo('U1ANA')).toBe('ana approved: Gate go: 1 of 2 approvals.');
  expect(await press('U1BEA')).toBe(200);
  expect(await answerTo('U1BEA')).toBe('bea approved: Gate go is approved.');
  await handle.result();
  const { body } = await world.ask(`/gates/${id}`, 'ana');
  expect(body).toMatchObject({ gate: { outcome: 'approved', approvals: [{ by: 'ana', verified: { how: 'slack' } }, { by: 'bea' }] } }); // prettier-ignore
}, 120_000);

test('when no worker runs, it says so and what to do', async () => {
  const { path, code } = await park('asks');
  await worker.kill('SIGKILL');
  const answers = [await world.ask(path, 'ana'), await world.ask(`${path}/decisions`, 'ana', { decision: 'approve', code })]; // prettier-ignore
  for (const { status, body } of answers) {
    expect(status).toBe(503);
    expect(body['error']).toMatch(/No worker answers.*Start one, then try again/);
  }
}, 60_000);
