import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { findSecrets } from '../support/secret-scanner.ts';
import { stepsIn } from './in-browser.ts';
import { openBrowserStage, type BrowserStage } from './stage.ts';
import { openTemporalUi, type TemporalUi } from './temporal-ui.ts';

// A person who may see what is encrypted: the worker and the codec server have the key, Temporal and its UI have none.
const PROGRAM = join(import.meta.dirname, '../../worker/codec-server.ts');
const ORIGIN = 'http://127.0.0.1:18821';
const TOKEN = randomBytes(16).toString('hex');
const CANARY = `canary-${randomBytes(6).toString('hex')}`;
const TASK_QUEUE = `codec-${randomBytes(3).toString('hex')}`;
const ID = 'a runbook that is not there';
const KEYS = { WINDLASS_PAYLOAD_KEYS: 'a=env:PAYLOAD_KEY', PAYLOAD_KEY: randomBytes(32).toString('base64') };

let stage: BrowserStage;
let ui: TemporalUi;
let codec: ChildProcess;
let log = '';

beforeAll(async () => {
  stage = await openBrowserStage({ taskQueue: TASK_QUEUE, prefix: 'codec', env: KEYS });
  codec = await startCodecServer(new URL(stage.url).origin);
  ui = await openTemporalUi(stage.url, stage.namespace);
}, 120_000);
afterAll(async () => {
  await ui?.close();
  codec?.kill();
  await stage?.close();
}, 60_000);

async function startCodecServer(uiOrigin: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [PROGRAM], {
    env: {
      ...{ ...KEYS, CODEC_TOKEN: TOKEN, WINDLASS_CODEC_TOKEN: 'env:CODEC_TOKEN' },
      ...{
        WINDLASS_CODEC_ORIGINS: uiOrigin,
        WINDLASS_CODEC_ADDRESS: new URL(ORIGIN).host,
        WINDLASS_CODEC_ENCODE: 'true',
      },
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
  await waitFor('the codec server', async () => log.includes('"msg":"ready"'), {
    timeoutSeconds: 30,
    giveUp: () => {
      if (child.exitCode !== null) throw new Error(`the codec server ended: ${log}`);
    },
  });
  return child;
}

/** Keeps in the browser what the dialog "Codec Server" of the UI keeps there; while no page of the UI is loading. */
async function useCodec(): Promise<void> {
  await ui.page.goto(new URL('/api/v1/settings', stage.url).href);
  await ui.page.evaluate((endpoint) => {
    const settings = { endpoint, includeCredentials: true, overrideRemoteCodecConfiguration: true };
    for (const [name, value] of Object.entries(settings)) localStorage.setItem(name, JSON.stringify(value));
  }, ORIGIN);
}

const inBrowser = stepsIn(() => ui);

inBrowser('what the UI starts is encrypted, and shown to whoever signed in at the codec server', async () => {
  const { page } = ui;
  await page.goto(`${ORIGIN}/login`);
  await page.getByLabel('Token of the codec server').fill(TOKEN);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('Signed in for 12 hours').waitFor();

  await useCodec();
  const input = { system: 'sandbox', environment: 'local', runbook: CANARY, requestedBy: 'kim' };
  const started = await ui.startWorkflow({
    workflowId: ID,
    taskQueue: TASK_QUEUE,
    workflowType: 'runRunbook',
    input: JSON.stringify(input, undefined, 2),
  });
  // It has ended; a client without the key sees that only.
  await expect(stage.client.workflow.getHandle(ID).result()).rejects.toThrow('Unknown encoding: binary/encrypted');
  await ui.openWorkflow(ID, started);
  await ui.untilStatus('Failed');
  // The message of its failure: the UI shows what the server has, and then what the codec server made of it.
  await page.getByRole('textbox', { name: 'Result' }).filter({ hasText: CANARY }).waitFor();

  const history = JSON.stringify(await stage.client.workflow.getHandle(ID).fetchHistory());
  const found = findSecrets(history, { CANARY, encoding: 'binary/encrypted' });
  expect(found).toEqual([{ secret: 'encoding', wrapped: 'base64' }]);
});

inBrowser('a browser that did not sign in sees that it is encrypted, and nothing else', async () => {
  await ui.page.context().clearCookies();
  const refused = ui.page.waitForResponse((response) => response.url().startsWith(ORIGIN) && response.status() === 401);
  await ui.openWorkflow(ID);
  await ui.untilStatus('Failed');
  await refused;
  expect(await ui.result()).toContain('Encoded failure');
  expect(await ui.page.content()).not.toContain(CANARY);
});
