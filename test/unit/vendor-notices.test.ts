import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNoticesActivities } from '../../activities/notices.ts';
import type { NoticeSubject } from '../../src/adapters/notice.ts';
import { createSecretResolver } from '../../src/adapters/secrets.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import type { Alert } from '../support/receivers/pagerduty-contract.ts';
import type { ReceivedRequest } from '../support/receivers/request-log.ts';
import { startReceivers, type Receivers } from '../support/receivers/server.ts';
import type { StatusIncident } from '../support/receivers/statuspage-contract.ts';

// Against receivers that answer by the vendors' published contracts; a fault is of the one request it names.
const ROUTING_KEY = '0123456789abcdef0123456789abcdef';
const EVENTS = '/pagerduty/shop/v2/enqueue';
const INCIDENTS = '/statuspage/v1/pages/p1/incidents';
const MAIL = '/smtp/ops@example.com';

let folder: string;
let receivers: Receivers;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'receivers-'));
  receivers = await startReceivers({ port: 0, logFile: join(folder, 'requests.jsonl') });
});
afterEach(async () => {
  await receivers.close();
  rmSync(folder, { recursive: true });
});

interface Message {
  text?: string;
  key?: string;
  subject?: Partial<NoticeSubject>;
}

/** Tells one channel, as a worker does. */
function tell(channel: 'page' | 'status' | 'mail', { text = 'The shop is slow.', key = 'k1', subject }: Message = {}) {
  const url = receivers.url;
  const channels = {
    page: { kind: 'pagerduty', url: `${url}/pagerduty/shop`, routingKey: 'env:ROUTING_KEY' },
    status: { kind: 'statuspage', url: `${url}/statuspage`, page: 'p1', token: 'env:STATUS_TOKEN' },
    mail: { kind: 'email', server: 'env:SMTP', from: 'windlass@example.com', to: ['ops@example.com'] },
  };
  const env = {
    ROUTING_KEY,
    STATUS_TOKEN: 'verysecret',
    SMTP: `smtp://windlass:verysecret@127.0.0.1:${receivers.smtpPort}`,
  };
  const { notify } = createNoticesActivities({
    catalog: {
      current: () => Promise.resolve({ systems: new Map([['shop', { catalog: { channels } }]]) } as unknown as Catalog),
    },
    secrets: createSecretResolver({ env }),
  });
  const about: NoticeSubject = { id: 'inc-1', title: 'Shop slow', state: 'open', severity: 'error', ...subject };
  return notify({ system: 'shop', channels: [channel], text, key, ...(subject ? { subject: about } : {}) });
}

const delivered = (channel: string) => ({ delivered: [channel], failed: [] });
const get = async <T>(path: string) => (await (await fetch(receivers.url + path)).json()) as T;
const arrived = (path: string) => get<ReceivedRequest[]>(`/requests?path=${encodeURIComponent(path)}`);
const alerts = () => get<Alert[]>('/shown?account=shop');
const incidents = () => get<StatusIncident[]>('/shown?page=p1');

async function fault(fault: object): Promise<void> {
  const answer = await fetch(`${receivers.url}/faults`, {
    method: 'PUT',
    body: JSON.stringify({ times: 1, ...fault }),
  });
  expect(answer.status).toBe(200);
}

describe('PagerDuty', () => {
  test('the course of a subject is one alert, which its end resolves', async () => {
    await tell('page', { subject: {}, key: 'k1' });
    await tell('page', { subject: { state: 'update' }, key: 'k2' });
    expect(await alerts()).toMatchObject([{ summary: 'Shop slow', severity: 'error', status: 'triggered', events: 2 }]);
    expect(await tell('page', { subject: { state: 'resolved' }, key: 'k3' })).toEqual(delivered('page'));
    expect(await alerts()).toMatchObject([{ status: 'resolved', events: 3 }]);
  });

  test.each([
    ['an answer that is lost', { dropResponse: true }],
    ['a rate limit', { status: 429, retryAfterSeconds: 0 }],
    ['a fault of theirs', { status: 500 }],
  ])('after %s it is sent again, and is one alert', async (_, how) => {
    await fault({ path: EVENTS, ...how });
    expect(await tell('page', { subject: {} })).toEqual(delivered('page'));
    expect(await arrived(EVENTS)).toHaveLength(2);
    expect(await alerts()).toHaveLength(1);
  });

  test('a message about nothing that lasts pages nobody: it is a change event, and not sent again when its answer is lost', async () => {
    const change = '/pagerduty/shop/v2/change/enqueue';
    expect(await tell('page')).toEqual(delivered('page'));
    await fault({ path: change, dropResponse: true });
    expect(await tell('page', { key: 'k2' })).toMatchObject({ failed: [{ channel: 'page' }] });
    expect((await arrived(change)).map(({ outcome }) => outcome)).toEqual(['accepted', 'lost']);
    expect(await alerts()).toEqual([]);
  });

  test('a subject of any length is still one alert, and the routing key is kept nowhere', async () => {
    for (const key of ['k1', 'k2']) {
      expect(await tell('page', { key, subject: { id: 'x'.repeat(900), title: 'y'.repeat(2000) } })).toEqual(
        delivered('page'),
      );
    }
    expect(await alerts()).toMatchObject([{ events: 2 }]);
    expect(readFileSync(join(folder, 'requests.jsonl'), 'utf8')).not.toContain(ROUTING_KEY);
  });
});

describe('a status page', () => {
  test('the course of a subject is one incident, each message an update of it', async () => {
    await tell('status', { subject: {}, key: 'k1', text: 'We look into it.' });
    await tell('status', { subject: { state: 'update' }, key: 'k2', text: 'The cause is found.' });
    await tell('status', { subject: { state: 'resolved' }, key: 'k3', text: 'It works again.' });
    const [incident, ...others] = await incidents();
    expect(others).toEqual([]);
    expect(incident).toMatchObject({ name: 'Shop slow', status: 'resolved' });
    expect(incident!.incident_updates.map(({ status, body }) => [status, body])).toEqual([
      ['resolved', 'It works again.'],
      ['identified', 'The cause is found.'],
      ['investigating', 'We look into it.'],
    ]);
  });

  test('a message that is repeated is published once', async () => {
    for (const key of ['k1', 'k2', 'k1', 'k2']) {
      expect(await tell('status', { subject: {}, key })).toEqual(delivered('status'));
    }
    expect((await incidents()).map((one) => one.incident_updates.length)).toEqual([2]);
  });

  test.each([
    ['the creation, whose answer is lost', { method: 'POST', dropResponse: true }],
    ['the creation, after a fault of theirs', { method: 'POST', status: 500 }],
    ['the look before, whose answer is lost', { method: 'GET', dropResponse: true }],
    ['the look before, when it is too many requests', { method: 'GET', status: 420 }],
  ])('is told once: %s', async (_, how) => {
    await fault({ path: INCIDENTS, ...how });
    expect(await tell('status', { subject: {} })).toEqual(delivered('status'));
    expect((await incidents()).map((one) => one.incident_updates.length)).toEqual([1]);
  });

  test('an update whose answer is lost is published once', async () => {
    await tell('status', { subject: {}, key: 'k1' });
    const [incident] = await incidents();
    await fault({ path: `${INCIDENTS}/${incident!.id}`, method: 'PATCH', dropResponse: true });
    expect(await tell('status', { subject: { state: 'resolved' }, key: 'k2' })).toEqual(delivered('status'));
    expect((await incidents())[0]!.incident_updates).toHaveLength(2);
  });

  test('a message about nothing that lasts is an incident that is over', async () => {
    await tell('status', { text: 'Maintenance is done.\nAll is well.' });
    expect(await incidents()).toMatchObject([{ name: 'Maintenance is done.', status: 'resolved' }]);
  });

  test('a refusal is named, without the token', async () => {
    await fault({ path: INCIDENTS, status: 401 });
    const outcome = await tell('status');
    expect(outcome).toMatchObject({ failed: [{ error: expect.stringContaining('got 401') }] });
    expect(JSON.stringify(outcome)).not.toContain('verysecret');
  });
});

describe('e-mail', () => {
  const mails = async () => (await arrived(MAIL)).map(({ headers, outcome, body }) => ({ ...headers, outcome, body }));

  test('arrives with the first line as its subject, and with the key', async () => {
    expect(await tell('mail', { text: 'v2 is out\nSince noon.' })).toEqual(delivered('mail'));
    expect(await mails()).toMatchObject([
      { from: 'windlass@example.com', to: 'ops@example.com', subject: 'v2 is out', outcome: 'accepted' },
    ]);
    expect((await mails())[0]!.body).toContain('Since noon.\r\n\r\nk1');
  });

  test('a repetition has the same Message-ID, another message another one', async () => {
    for (const key of ['k1', 'k1', 'k2']) await tell('mail', { key, subject: {} });
    const ids = (await mails()).map((mail) => (mail as Record<string, unknown>)['message-id']);
    expect([ids[0] === ids[1], ids[1] === ids[2]]).toEqual([true, false]);
    expect(new Set((await mails()).map((mail) => (mail as Record<string, unknown>)['references'])).size).toBe(1);
  });

  test.each([
    ['refused for now: sent again', { status: 451 }, ['refused', 'accepted'], true],
    ['refused for good: not sent again', { status: 554 }, ['refused'], false],
    ['taken, and the answer lost: not sent again', { dropResponse: true }, ['lost'], false],
  ])('%s', async (_, how, outcomes, works) => {
    await fault({ path: MAIL, ...how });
    const outcome = await tell('mail');
    expect(outcome).toMatchObject(works ? delivered('mail') : { delivered: [], failed: [{ channel: 'mail' }] });
    expect((await mails()).map((mail) => mail.outcome)).toEqual(outcomes);
    expect(JSON.stringify(outcome)).not.toContain('verysecret');
  });
});
