import { randomUUID } from 'node:crypto';
import { createNoticesActivities } from '../../activities/notices.ts';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { createSecretResolver } from '../../src/adapters/secrets.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';

// Against the sandbox's receiver, which answers as Slack does and keeps what arrived; a path of its own per test.
const { receivers } = readEndpoints();

function notifier() {
  const [slack, webhook] = [`/slack/${randomUUID()}`, `/webhook/${randomUUID()}`];
  const channels = { chat: { kind: 'slack', url: 'env:CHAT' }, hook: { kind: 'webhook', url: 'env:HOOK' } };
  const { notify } = createNoticesActivities({
    catalog: {
      current: () => Promise.resolve({ systems: new Map([['shop', { catalog: { channels } }]]) } as unknown as Catalog),
    },
    secrets: createSecretResolver({ env: { CHAT: receivers.url + slack, HOOK: receivers.url + webhook } }),
  });
  return {
    notify: () => notify({ system: 'shop', channels: ['chat', 'hook'], text: 'v2 is out', key: 'k1' }),
    slack,
    webhook,
  };
}

async function fault(fault: object): Promise<void> {
  const answer = await fetch(`${receivers.url}/faults`, { method: 'PUT', body: JSON.stringify(fault) });
  expect(answer.status).toBe(200);
}

async function arrivedAt(path: string): Promise<{ body: { text: string }; outcome: string }[]> {
  const answer = await fetch(`${receivers.url}/requests?path=${encodeURIComponent(path)}`);
  return (await answer.json()) as { body: { text: string }; outcome: string }[];
}

test('Slack takes the message as we write it, and a webhook its JSON', async () => {
  const { notify, slack, webhook } = notifier();
  expect(await notify()).toEqual({ delivered: ['chat', 'hook'], failed: [] });
  expect(await arrivedAt(slack)).toMatchObject([{ outcome: 'accepted', body: { text: 'v2 is out\n`k1`' } }]);
  expect(await arrivedAt(webhook)).toMatchObject([{ outcome: 'accepted', body: { key: 'k1' } }]);
});

test('a rate limit is waited for, and the message arrives once', async () => {
  const { notify, slack } = notifier();
  await fault({ path: slack, status: 429, retryAfterSeconds: 1, times: 1 });
  expect(await notify()).toEqual({ delivered: ['chat', 'hook'], failed: [] });
  expect((await arrivedAt(slack)).map(({ outcome }) => outcome)).toEqual(['refused', 'accepted']);
});

test('a channel that takes the message and does not answer in time is named, and not told twice', async () => {
  const { notify, slack } = notifier();
  await fault({ path: slack, delayMs: 8_000, times: 1 });
  expect(await notify()).toEqual({
    delivered: ['hook'],
    failed: [{ channel: 'chat', error: 'no answer within 5 s' }],
  });
  expect(await arrivedAt(slack)).toHaveLength(1);
}, 15_000);

test('an answer that is lost is named, and the message not repeated', async () => {
  const { notify, slack } = notifier();
  await fault({ path: slack, dropResponse: true, times: 1 });
  expect(await notify()).toMatchObject({ delivered: ['hook'], failed: [{ channel: 'chat' }] });
  expect((await arrivedAt(slack)).map(({ outcome }) => outcome)).toEqual(['lost']);
});
