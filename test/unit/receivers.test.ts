import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ReceivedRequest } from '../support/receivers/request-log.ts';
import { startReceivers, type Receivers } from '../support/receivers/server.ts';
import { answerSlackWebhook } from '../support/receivers/slack-contract.ts';

const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } });

describe("Slack's contract", () => {
  const post = (payload: unknown) =>
    answerSlackWebhook({ method: 'POST', contentType: 'application/json', body: JSON.stringify(payload) });

  test.each<[string, unknown]>([
    ['a text', { text: 'released v2' }],
    ['blocks alone', { blocks: [section('*released* v2'), { type: 'divider' }] }],
    [
      'a text with blocks',
      { text: 'released', blocks: [{ type: 'header', text: { type: 'plain_text', text: 'Release' } }] },
    ],
    ['a context block', { blocks: [{ type: 'context', elements: [{ type: 'mrkdwn', text: 'by ada' }] }] }],
    ['a text of 40,000 characters', { text: 'x'.repeat(40_000) }],
    ['50 blocks', { blocks: Array.from({ length: 50 }, () => section('x')) }],
  ])('%s is accepted', (_, payload) => {
    expect(post(payload)).toEqual({ status: 200, body: 'ok' });
  });

  test.each<[string, unknown, string]>([
    ['an empty object', {}, 'no_text'],
    ['an empty text', { text: '' }, 'no_text'],
    ['no blocks and no text', { blocks: [] }, 'no_text'],
    ['a text that is no string', { text: 42 }, 'invalid_payload'],
    ['an array', [{ text: 'x' }], 'invalid_payload'],
    ['a bare string', 'x', 'invalid_payload'],
    ['an unknown field', { text: 'x', chanel: '#ops' }, 'invalid_payload'],
    ['a channel, which the webhook decides', { text: 'x', channel: '#ops' }, 'invalid_payload'],
    ['a text that Slack would cut', { text: 'x'.repeat(40_001) }, 'msg_too_long'],
    ['blocks that are no list', { blocks: section('x') }, 'invalid_blocks_format'],
    ['51 blocks', { blocks: Array.from({ length: 51 }, () => section('x')) }, 'invalid_blocks'],
    ['a block without a type', { blocks: [{ text: 'x' }] }, 'invalid_blocks'],
    ['a block of an unknown type', { blocks: [{ type: 'sektion' }] }, 'invalid_blocks'],
    ['a section of 3,001 characters', { blocks: [section('x'.repeat(3001))] }, 'invalid_blocks'],
    ['a section without text or fields', { blocks: [{ type: 'section' }] }, 'invalid_blocks'],
    ['a header in mrkdwn', { blocks: [{ type: 'header', text: { type: 'mrkdwn', text: 'x' } }] }, 'invalid_blocks'],
    [
      'a header of 151 characters',
      { blocks: [{ type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }] },
      'invalid_blocks',
    ],
    ['101 attachments', { attachments: Array.from({ length: 101 }, () => ({ text: 'x' })) }, 'too_many_attachments'],
  ])('%s is refused', (_, payload, word) => {
    expect(post(payload)).toEqual({ status: 400, body: word });
  });

  test('a body that is not JSON, or not called so, is refused', () => {
    const invalid = { status: 400, body: 'invalid_payload' };
    expect(answerSlackWebhook({ method: 'POST', contentType: 'application/json', body: '{"text":' })).toEqual(invalid);
    expect(answerSlackWebhook({ method: 'POST', contentType: 'text/plain', body: '{"text":"x"}' })).toEqual(invalid);
  });

  test('only POST is allowed', () => {
    expect(answerSlackWebhook({ method: 'GET', contentType: '', body: '' }).status).toBe(405);
  });
});

describe('the receivers', () => {
  let folder: string;
  let logFile: string;
  let receivers: Receivers;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'receivers-'));
    logFile = join(folder, 'requests.jsonl');
    receivers = await startReceivers({ port: 0, logFile });
  });
  afterEach(async () => {
    await receivers.close();
    rmSync(folder, { recursive: true });
  });

  const send = (path: string, body: unknown, method = 'POST') =>
    fetch(receivers.url + path, {
      method,
      headers: { 'content-type': 'application/json', authorization: 'Bearer secret' },
      body: JSON.stringify(body),
    });
  const received = async (query = '') =>
    (await (await fetch(`${receivers.url}/requests${query}`)).json()) as ReceivedRequest[];
  const onDisk = () =>
    readFileSync(logFile, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as ReceivedRequest);

  test('what is accepted and what is refused is kept, on disk too, without credentials', async () => {
    expect(await (await send('/slack/deployments', { text: 'hello' })).text()).toBe('ok');
    expect((await send('/slack/deployments', {})).status).toBe(400);
    expect((await send('/webhook/status-page', { any: ['json'] })).status).toBe(200);

    expect(await received()).toMatchObject([
      { method: 'POST', path: '/slack/deployments', status: 200, outcome: 'accepted', body: { text: 'hello' } },
      { method: 'POST', path: '/slack/deployments', status: 400, outcome: 'refused', body: {} },
      { method: 'POST', path: '/webhook/status-page', status: 200, outcome: 'accepted', body: { any: ['json'] } },
    ]);
    expect(onDisk()).toEqual(await received());
    expect(readFileSync(logFile, 'utf8')).not.toContain('secret');
    expect(await received('?path=/webhook/status-page')).toHaveLength(1);
  });

  test('the same message twice is two messages', async () => {
    await send('/slack/ops', { text: 'again' });
    await send('/slack/ops', { text: 'again' });
    expect(await received('?path=/slack/ops')).toHaveLength(2);
  });

  test('a webhook refuses what is not JSON, and what is not a POST', async () => {
    const text = await fetch(`${receivers.url}/webhook/x`, { method: 'POST', body: '{' });
    const get = await fetch(`${receivers.url}/webhook/x`);
    expect([text.status, get.status]).toEqual([400, 405]);
    expect((await received()).map((request) => request.outcome)).toEqual(['refused', 'refused']);
  });

  test('a body over 1 MiB is refused', async () => {
    expect((await send('/webhook/x', 'x'.repeat(1024 * 1024))).status).toBe(413);
  });

  test('a fault refuses as often as asked, on its path only', async () => {
    await send('/faults', { path: '/slack/ops', status: 429, retryAfterSeconds: 7, times: 2 }, 'PUT');
    const first = await send('/slack/ops', { text: 'x' });
    expect([first.status, first.headers.get('retry-after'), await first.text()]).toEqual([429, '7', 'rate_limited']);
    expect((await send('/slack/other', { text: 'x' })).status).toBe(200);
    expect((await send('/slack/ops', { text: 'x' })).status).toBe(429);
    expect((await send('/slack/ops', { text: 'x' })).status).toBe(200);
    expect((await received('?path=/slack/ops')).map((r) => r.outcome)).toEqual(['refused', 'refused', 'accepted']);
  });

  test('a fault without a number of times lasts until it is deleted', async () => {
    await send('/faults', { path: '/webhook/x', status: 500 }, 'PUT');
    for (let i = 0; i < 3; i += 1) expect((await send('/webhook/x', {})).status).toBe(500);
    await fetch(`${receivers.url}/faults`, { method: 'DELETE' });
    expect((await send('/webhook/x', {})).status).toBe(200);
  });

  test('a lost response: the message has arrived and the sender gets no answer', async () => {
    await send('/faults', { path: '/slack/ops', dropResponse: true, times: 1 }, 'PUT');
    await expect(send('/slack/ops', { text: 'lost' })).rejects.toThrow('fetch failed');
    expect(await received('?path=/slack/ops')).toMatchObject([
      { outcome: 'lost', status: 200, body: { text: 'lost' } },
    ]);
  });

  test('a delayed message has arrived before its answer is sent', async () => {
    await send('/faults', { path: '/slack/ops', delayMs: 60_000, times: 1 }, 'PUT');
    const impatient = new AbortController();
    const sending = fetch(`${receivers.url}/slack/ops`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"text":"slow"}',
      signal: impatient.signal,
    });
    while ((await received('?path=/slack/ops')).length === 0);
    impatient.abort();
    await expect(sending).rejects.toThrow('aborted');
  });

  test('a fault that makes no sense is refused', async () => {
    for (const fault of [
      { path: '/slack/ops' },
      { path: 'x', status: 500 },
      { path: '/x', status: 500, dropResponse: true },
    ]) {
      expect((await send('/faults', fault, 'PUT')).status).toBe(400);
    }
  });

  test('deleting the requests forgets them on disk too', async () => {
    await send('/slack/ops', { text: 'x' });
    expect((await fetch(`${receivers.url}/requests`, { method: 'DELETE' })).status).toBe(204);
    expect(await received()).toEqual([]);
    expect(readFileSync(logFile, 'utf8')).toBe('');
  });

  test('after a crash the log is continued, without the line that the crash cut', async () => {
    await send('/slack/ops', { text: 'before' });
    await receivers.close();
    appendFileSync(logFile, '{"time":"2026-');
    receivers = await startReceivers({ port: 0, logFile });
    await send('/slack/ops', { text: 'after' });
    expect((await received()).map((request) => request.body)).toEqual([{ text: 'before' }, { text: 'after' }]);
    expect(onDisk()).toHaveLength(2);
  });
});

test('the process answers, and ends cleanly on SIGTERM', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'receivers-'));
  const main = join(import.meta.dirname, '../../scripts/sandbox/receivers/main.ts');
  const child = spawn(process.execPath, [main, '--port', '0', '--log', join(folder, 'new', 'log.jsonl')]);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { url } = JSON.parse(line) as { url: string };
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  rmSync(folder, { recursive: true });
});
