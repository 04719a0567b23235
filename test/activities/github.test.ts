import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readWorkflowState, setWorkflow } from '../../src/adapters/github.ts';
import type { ReceivedRequest } from '../support/receivers/request-log.ts';
import { startReceivers, type Receivers } from '../support/receivers/server.ts';

// Against a stand-in that is checked against GitHub's published contract; a repository of its own per test.
let folder: string;
let receivers: Receivers;
let repository: string;
let count = 0;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'github-'));
  receivers = await startReceivers({ port: 0, logFile: join(folder, 'requests.jsonl') });
});
afterAll(async () => {
  await receivers.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  repository = `acme/shop-${count++}`;
});

const TOKEN = 'ghp_secret-of-the-test';
const workflow = (over: object = {}) => ({
  url: `${receivers.url}/github`,
  repository,
  file: 'deploy.yml',
  token: TOKEN,
  ...over,
});
const path = (verb = '', file = 'deploy.yml') => `/github/repos/${repository}/actions/workflows/${file}${verb}`;
const fault = (given: object) =>
  fetch(`${receivers.url}/faults`, { method: 'PUT', body: JSON.stringify({ times: 1, ...given }) });
const arrived = async (at: string): Promise<ReceivedRequest[]> =>
  (await (await fetch(`${receivers.url}/requests?path=${encodeURIComponent(at)}`)).json()) as ReceivedRequest[];

test('a workflow is disabled and enabled, and GitHub says so', async () => {
  expect(await readWorkflowState(workflow())).toBe('active');
  await setWorkflow(workflow(), 'disable');
  expect(await readWorkflowState(workflow())).toBe('disabled_manually');
  await setWorkflow(workflow(), 'enable');
  expect(await readWorkflowState(workflow())).toBe('active');
});

test('doing it twice is doing it once', async () => {
  await setWorkflow(workflow(), 'disable');
  await setWorkflow(workflow(), 'disable');
  expect(await readWorkflowState(workflow())).toBe('disabled_manually');
});

test('GitHub gets the headers that it asks for', async () => {
  await setWorkflow(workflow(), 'disable');
  const [request] = await arrived(path('/disable'));
  expect(request).toMatchObject({
    method: 'PUT',
    outcome: 'accepted',
    headers: {
      accept: 'application/vnd.github+json',
      'user-agent': 'windlass',
      'x-github-api-version': '2022-11-28',
    },
  });
});

test('a workflow that is not there is named, and is not asked for again', async () => {
  await expect(readWorkflowState(workflow({ file: 'release.yml' }))).rejects.toMatchObject({
    type: 'NotFound',
    nonRetryable: true,
    message: expect.stringContaining(`workflow release.yml of ${repository}`) as string,
  });
});

test('a token that may not write is refused for good', async () => {
  await expect(setWorkflow(workflow({ token: 'read-only' }), 'disable')).rejects.toMatchObject({
    type: 'Forbidden',
    nonRetryable: true,
    message: expect.stringContaining('Resource not accessible by personal access token') as string,
  });
  expect(await readWorkflowState(workflow())).toBe('active');
});

test.each<[string, object, number]>([
  [
    'its own limit, until it says',
    {
      status: 403,
      headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000) + 900) },
    },
    600_000,
  ],
  ['the secondary limit, for as long as it says', { status: 403, headers: { 'retry-after': '7' } }, 7000],
  ['429', { status: 429, retryAfterSeconds: 3 }, 3000],
])('%s is waited for', async (_, given, atLeastMs) => {
  await fault({ path: path('/disable'), ...given });
  const error = await setWorkflow(workflow(), 'disable').catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ type: 'Unavailable', nonRetryable: false });
  expect((error as { nextRetryDelay: number }).nextRetryDelay).toBeGreaterThanOrEqual(atLeastMs);
});

test.each<[string, object, boolean]>([
  ['an outage', { status: 502 }, false],
  ['an answer that is lost after the effect', { dropResponse: true }, true],
])('%s can be tried again', async (_, given, done) => {
  await fault({ path: path('/disable'), ...given });
  await expect(setWorkflow(workflow(), 'disable')).rejects.toMatchObject({ type: 'Unavailable', nonRetryable: false });
  expect(await readWorkflowState(workflow())).toBe(done ? 'disabled_manually' : 'active');
  await setWorkflow(workflow(), 'disable');
  expect(await readWorkflowState(workflow())).toBe('disabled_manually');
});

test('nobody at the address can be tried again, and no error names the token', async () => {
  const error = (await readWorkflowState(workflow({ url: 'http://127.0.0.1:9' })).catch(
    (thrown: unknown) => thrown,
  )) as Error;
  expect(error).toMatchObject({ type: 'Unavailable', nonRetryable: false });
  expect(`${error.message} ${error.stack}`).not.toContain(TOKEN);
});

test('a wrong token is refused for good, without its value in the error', async () => {
  const error = (await readWorkflowState(workflow({ token: 'two words' })).catch((thrown: unknown) => thrown)) as Error;
  expect(error).toMatchObject({ type: 'Forbidden', nonRetryable: true });
  expect(error.message).not.toContain('two words');
});
