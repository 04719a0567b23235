import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createNoticesActivities, type NoticeRequest } from '../../activities/notices.ts';
import { createSecretResolver } from '../../src/adapters/secrets.ts';
import { answerSlack } from '../../src/adapters/slack.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { readGateId } from '../../src/contracts/gate-id.ts';
import { readInteraction } from '../../src/server/approvals/slack/interaction.ts';
import { startReceivers, type Receivers } from '../support/receivers/server.ts';

interface Sent {
  body: { text: string; blocks?: { type: string; block_id?: string; elements?: Record<string, string>[] }[] };
  outcome: string;
}

let receivers: Receivers;
beforeAll(async () => {
  receivers = await startReceivers({ port: 0, logFile: join(mkdtempSync(join(tmpdir(), 'windlass-')), 'log.jsonl') });
});
afterAll(() => receivers.close());

const sentTo = async (path: string): Promise<Sent[]> =>
  (await (await fetch(`${receivers.url}/requests?path=${encodeURIComponent(path)}`)).json()) as Sent[];

async function notify(channel: string, gates: NoticeRequest['gates']): Promise<Sent> {
  const channels = {
    plain: { kind: 'slack', url: 'env:PLAIN' },
    buttons: { kind: 'slack', url: 'env:BUTTONS', buttons: true },
  };
  const activities = createNoticesActivities({
    catalog: {
      current: async () => ({ systems: new Map([['shop', { catalog: { channels } }]]) }) as unknown as Catalog,
    },
    secrets: createSecretResolver({
      env: { PLAIN: `${receivers.url}/slack/plain`, BUTTONS: `${receivers.url}/slack/buttons` },
    }),
    approvalUrl: 'https://approvals.example.com',
  });
  const request = { system: 'shop', channels: [channel], text: 'Waiting for <security>', key: 'k', gates };
  const result = await new MockActivityEnvironment({
    workflowExecution: { workflowId: 'deploy/shop-v2', runId: '6a1e6a4e-0000-4000-8000-000000000001' },
  }).run(activities.notify, request);
  expect(result).toEqual({ delivered: [channel], failed: [] });
  return (await sentTo(`/slack/${channel}`)).at(-1)!;
}

const SECURITY = { name: 'security', code: 'run-plan', direct: true };

test('a gate gets buttons that decide it for exactly this run, and one that opens its page', async () => {
  const { body } = await notify('buttons', [SECURITY]);
  const actions = body.blocks!.find(({ type }) => type === 'actions')!;
  expect(actions.elements!.map(({ action_id: id }) => id)).toEqual(['windlass.approve', 'windlass.reject', 'windlass.open']); // prettier-ignore

  const payload = {
    ...{ type: 'block_actions', user: { id: 'U1' }, team: { id: 'T1' }, response_url: 'https://hooks.slack.com/x', message: body }, // prettier-ignore
    actions: [{ ...actions.elements![0], block_id: actions.block_id }],
  };
  const clicked = readInteraction(new URLSearchParams({ payload: JSON.stringify(payload) }).toString())!;
  expect(clicked).toMatchObject({ decision: 'approve', code: 'run-plan' });
  expect(readGateId(clicked.gate)).toEqual({
    ...{ workflowId: 'deploy/shop-v2', gate: 'security', runId: '6a1e6a4e-0000-4000-8000-000000000001' },
  });
  expect(clicked.message.blocks).toEqual([expect.objectContaining({ type: 'section' })]);
  expect(actions.elements![2]!['url']).toBe(`https://approvals.example.com/gates/${clicked.gate}`);
});

test('what asks for a comment or a form is decided on its page only', async () => {
  const { body } = await notify('buttons', [{ ...SECURITY, direct: false }]);
  expect(body.blocks!.at(-1)!.elements!.map(({ action_id: id }) => id)).toEqual(['windlass.open']);
});

test('a channel without buttons, and a message without gates, are a text as before', async () => {
  expect((await notify('plain', [SECURITY])).body).toEqual({ text: 'Waiting for &lt;security&gt;\n`k`' });
  expect((await notify('buttons', [])).body).toEqual({ text: 'Waiting for &lt;security&gt;\n`k`' });
});

test('an answer goes to the person, to the channel, or takes the place of the message, as the contract has it', async () => {
  const url = `${receivers.url}/slack/responses/1`;
  await answerSlack(url, { to: 'person', text: 'Not counted: <no>' });
  await answerSlack(url, { to: 'channel', text: '1 of 2' });
  await answerSlack(url, { to: 'message', text: 'approved', blocks: [{ type: 'divider' }] });
  const sent = await sentTo('/slack/responses/1');
  expect(sent.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted', 'accepted']);
  expect(sent.map(({ body }) => body)).toEqual([
    { text: 'Not counted: &lt;no&gt;', replace_original: false, response_type: 'ephemeral' },
    { text: '1 of 2', replace_original: false, response_type: 'in_channel' },
    {
      ...{ text: 'approved', replace_original: true },
      blocks: [{ type: 'divider' }, { type: 'context', elements: [{ type: 'mrkdwn', text: 'approved' }] }],
    },
  ]);
});
