import { randomBytes } from 'node:crypto';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { openAcceptance, type Acceptance } from '../support/acceptance.ts';
import type { Alert } from '../support/receivers/pagerduty-contract.ts';
import type { ReceivedRequest } from '../support/receivers/request-log.ts';
import type { StatusIncident } from '../support/receivers/statuspage-contract.ts';

// A runbook tells people by every kind of channel; what arrived is read at the receivers, which imitate the vendors.
const { receivers } = readEndpoints();
const unique = `acc${Date.now().toString(36)}`;
const MAIL = `/smtp/${unique}@example.com`;
const STATUS = `/statuspage/v1/pages/${unique}/incidents`;
const EVENTS = `/pagerduty/${unique}/v2/enqueue`;
const FAILING = `/webhook/${unique}`;

const channels = {
  status: { kind: 'statuspage', url: `${receivers.url}/statuspage`, page: unique, token: 'env:TEST_STATUS_TOKEN' },
  mail: { kind: 'email', server: 'env:TEST_SMTP', from: 'windlass@example.com', to: [`${unique}@example.com`] },
  page: { kind: 'pagerduty', url: `${receivers.url}/pagerduty/${unique}`, routingKey: 'env:TEST_ROUTING_KEY' },
  failing: { kind: 'webhook', url: 'env:TEST_FAILING' },
};
const env = {
  TEST_STATUS_TOKEN: randomBytes(20).toString('base64url'),
  TEST_SMTP: receivers.smtp,
  TEST_ROUTING_KEY: randomBytes(16).toString('hex'),
  TEST_FAILING: receivers.url + FAILING,
};

const message = (state: string, text: string) => ({
  action: 'tell',
  with: {
    channels: ['slack', 'status', 'mail', 'page'],
    text,
    subject: { id: 'slow', title: 'Slow answers', state, severity: 'error' },
  },
});
const runbooks = {
  course: {
    description: 'Tells the course of an incident',
    steps: [message('open', 'We look into it.'), message('resolved', 'It works again.')],
  },
  'one-fails': {
    description: 'Tells all, one of whom does not take it',
    steps: [
      {
        name: 'tell',
        action: 'tell',
        with: { channels: ['failing', 'slack', 'mail'], text: 'One channel is broken.' },
      },
    ],
  },
};

let acceptance: Acceptance;
beforeAll(async () => {
  const catalog = { channels, runbooks };
  acceptance = await openAcceptance({ subject: 'notices', stages: 1, catalog, env });
}, 120_000);
afterAll(() => acceptance?.close());

async function fault(fault: object): Promise<void> {
  const answer = await fetch(`${receivers.url}/faults`, { method: 'PUT', body: JSON.stringify(fault) });
  expect(answer.status).toBe(200);
}

const get = async <T>(path: string) => (await (await fetch(receivers.url + path)).json()) as T;
const mails = async () =>
  (await get<ReceivedRequest[]>(`/requests?path=${encodeURIComponent(MAIL)}`)).filter(
    ({ outcome }) => outcome === 'accepted',
  );

/** Runs a runbook to its end, which must be good, and returns its result. */
async function run(runbook: string) {
  const { json } = await acceptance.cli('kim', 'run', 'agent-system', `${acceptance.taskQueue}-1`, runbook);
  const handle = acceptance.client.workflow.getHandle(json['id'] as string, json['runId'] as string);
  return (await handle.result()) as { outcome: string };
}

test('S-24.1 tells chat, e-mail, PagerDuty and the status page the course of an incident, each message once, though answers are lost and limits reached', async () => {
  await fault({ path: STATUS, method: 'POST', dropResponse: true, times: 1 });
  await fault({ path: EVENTS, dropResponse: true, times: 1 });
  await fault({ path: MAIL, status: 451, times: 1 });
  expect(await run('course')).toMatchObject({ outcome: 'completed' });

  const [incident, ...others] = await get<StatusIncident[]>(`/shown?page=${unique}`);
  expect(others).toEqual([]);
  expect(incident?.incident_updates.map(({ status, body }) => [status, body])).toEqual([
    ['resolved', 'It works again.'],
    ['investigating', 'We look into it.'],
  ]);
  expect(await get<Alert[]>(`/shown?account=${unique}`)).toMatchObject([
    { summary: 'Slow answers', status: 'resolved', severity: 'error' },
  ]);
  const texts = (await mails()).map(({ body }) => String(body).split('\r\n')[0]);
  expect(texts).toEqual(['We look into it.', 'It works again.']);
  const chat = await acceptance.notices();
  expect(chat.filter((text) => text.startsWith('We look into it.'))).toHaveLength(1);
  expect(chat.filter((text) => text.startsWith('It works again.'))).toHaveLength(1);
}, 120_000);

test('S-24.2 a channel that fails delays no other: they have the message before it is given up, and the procedure goes on', async () => {
  await fault({ path: FAILING, status: 429, retryAfterSeconds: 2 });
  expect(await run('one-fails')).toMatchObject({ outcome: 'completed' });

  const attempts = await get<ReceivedRequest[]>(`/requests?path=${encodeURIComponent(FAILING)}`);
  expect(attempts.map(({ outcome }) => outcome)).toEqual(['refused', 'refused', 'refused']);
  const mail = (await mails()).filter(({ body }) => String(body).startsWith('One channel is broken.'));
  const chat = await waitFor(
    'the chat message',
    async () =>
      (await get<ReceivedRequest[]>('/requests')).find(
        ({ path, body }) =>
          path.includes(acceptance.taskQueue) && JSON.stringify(body).includes('One channel is broken.'),
      ),
    { timeoutSeconds: 10 },
  );
  expect(mail).toHaveLength(1);
  // In the order of arrival: not after the channel that failed had its last chance.
  expect([chat.time < attempts[2]!.time, mail[0]!.time < attempts[2]!.time]).toEqual([true, true]);
}, 120_000);
