import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { WorkflowHandle } from '@temporalio/client';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { gateId } from '../../src/contracts/gate-id.ts';
import type { GateView } from '../../src/contracts/gates.ts';
import { openApprovalWorld, type ApprovalWorld } from '../support/approval-world.ts';
import { writeOverlay } from '../support/worker.ts';
import { APPEARS_WITHIN_MS, launchChromium } from './chromium.ts';
import { openBrowserStage, type BrowserStage } from './stage.ts';

// A person with a keyboard who was told that a release waits: signs in at a real OpenID provider, reads, decides.
// `WINDLASS_SCREENSHOTS=docs/images` keeps what the documentation shows.
const ROOT = join(import.meta.dirname, '../..');
const SHOTS = join(ROOT, process.env['WINDLASS_SCREENSHOTS'] ?? 'reports');
const TASK_QUEUE = `page-${randomBytes(3).toString('hex')}`;
const ID = 'deploy/sandbox/local/shop-v2';
const PATH = `/gates/${gateId({ workflowId: ID, gate: 'engineering-lead' })}`;
const REASON = 'read the plan, the way back was tried';

const person = (name: string, role: string) => ({ name, roles: [role], contact: `${name}@example.com` });
const catalog = {
  people: [
    ...[person('ana', 'engineering-lead'), person('bea', 'engineering-lead'), person('sam', 'security')],
    ...[person('kim', 'devops'), person('lee', 'devops'), person('vic', 'vp'), person('cat', 'cto')],
  ],
  policies: {
    deployRelease: {
      gates: [
        {
          ...{ name: 'engineering-lead', asks: 'Shall this release go out?', roles: ['engineering-lead'], quorum: 2 },
          ...{ expiresAfter: '4h', comment: 'required' },
          form: {
            properties: {
              ticket: { type: 'string', description: 'Number of the change', maxLength: 20 },
              risk: { type: 'string', description: 'Risk', enum: ['low', 'medium', 'high'] },
              rollbackTested: { type: 'boolean', const: true, description: 'The way back was tried' },
            },
            required: ['ticket', 'risk', 'rollbackTested'],
          },
          breakGlass: { roles: ['devops'], notify: ['slack'], reviewWithin: '72h' },
        },
      ],
    },
  },
};

let world: ApprovalWorld;
let stage: BrowserStage;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let release: WorkflowHandle;

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  world = await openApprovalWorld();
  stage = await openBrowserStage({
    ...{ taskQueue: TASK_QUEUE, prefix: 'approvals', env: world.workerEnv },
    catalog: { ...catalog, identity: world.identity },
  });
  await world.serve({
    TEMPORAL_ADDRESS: readEndpoints().temporal.address,
    TEMPORAL_NAMESPACE: stage.namespace,
    TEMPORAL_UI_URL: stage.url,
    WINDLASS_OVERLAYS: stage.overlays.map(writeOverlay).join(','),
  });
  release = await stage.client.workflow.start('deployRelease', {
    ...{ workflowId: ID, taskQueue: TASK_QUEUE },
    args: [
      { system: 'sandbox', environment: 'local', service: 'shop', image: 'docker.io/windlass/sample:v2', requestedBy: 'kim' }, // prettier-ignore
    ],
    memo: { summary: 'release of shop v2 in sandbox local', requestedBy: 'kim' },
  });
  await waitFor('the gate', async () => (await gates()).length > 0, { timeoutSeconds: 90 });
  browser = await launchChromium();
  context = await browser.newContext({
    ...{ viewport: { width: 1100, height: 900 }, colorScheme: 'light', timezoneId: 'UTC', locale: 'en-US' },
  });
  context.setDefaultTimeout(APPEARS_WITHIN_MS);
  page = await context.newPage();
}, 240_000);
afterAll(async () => {
  await browser?.close();
  await world?.close();
  await stage?.close();
}, 60_000);

const gates = () => release.query<GateView[]>('gates');
const shoot = (name: string): Promise<Buffer> =>
  page.locator('body').screenshot({ path: join(SHOTS, `approval-${name}.png`), animations: 'disabled' });

/** What has the focus, as somebody hears it. As texts: these run in the page, whose types tests do not have. */
const focused = (): Promise<string> =>
  page.evaluate<string>(
    '(document.activeElement?.labels?.[0]?.innerText ?? document.activeElement?.innerText ?? "").trim()',
  );

/** Presses Tab until something with this text has the focus. */
async function tabTo(text: string): Promise<void> {
  const passed: string[] = [];
  for (let pressed = 0; pressed < 60; pressed++) {
    await page.keyboard.press('Tab');
    const here = await focused();
    if (here.includes(text)) return;
    passed.push(here);
  }
  throw new Error(`Tab does not come to ${text}; it passes ${passed.join(' | ')}`);
}

const overflow = (): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');

test('a person signs in at the provider with the keyboard alone, and comes back to the gate', async () => {
  await page.goto(`${world.origin}${PATH}`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await shoot('sign-in');
  await tabTo('Sign in');
  await page.keyboard.press('Enter');

  // The page of the sandbox's provider (sign-in.test.ts), whose first field has the focus.
  await page.getByRole('heading', { name: 'Sign in to the sandbox' }).waitFor();
  expect(await focused()).toBe('Name');
  await page.keyboard.type('ana');
  await page.keyboard.press('Tab');
  await page.keyboard.type('ana');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Shall this release go out?' }).waitFor();
  expect(page.url()).toBe(`${world.origin}${PATH}`);
}, 120_000);

test('the page shows what is approved, the difference, the reach, the way back, who decided and how long is left', async () => {
  const [gate] = await gates();
  const before = await world.ask(`${PATH}/decisions`, 'bea', {
    ...{ decision: 'approve', code: gate!.code, reason: 'the metrics of v2 are fine' },
    fields: { ticket: 'C-4711', risk: 'low', rollbackTested: true },
  });
  expect(before).toMatchObject({ status: 200, body: { code: 'recorded' } });
  await page.reload();
  const text = await page.locator('main').innerText();
  for (const shown of ['1 of 2 approvals', 'engineering-lead', 'silence is a no', 'Blast radius', 'Way back', 'bea approved', 'the metrics of v2 are fine', 'deployRelease']) expect(text).toContain(shown); // prettier-ignore
  expect(text).toMatch(/3 h \d\d min left/);
  await page.locator('details', { hasText: 'Difference in' }).first().locator('summary').click();
  await page.locator('pre').first().waitFor();
  await shoot('page');
}, 120_000);

test('at 400 pixels nothing is cut off, in the dark too', async () => {
  await page.setViewportSize({ width: 400, height: 800 });
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await overflow()).toBeLessThanOrEqual(0);
  await shoot('narrow');
  await page.goto(`${world.origin}/gates`);
  expect(await overflow()).toBeLessThanOrEqual(0);
  await shoot('list');
}, 60_000);

test('with the keyboard alone it is found in the list, filled in and approved; Enter in a field sends nothing', async () => {
  await tabTo('Shall this release go out?');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Decide', exact: true }).waitFor();
  await tabTo('Number of the change');
  await page.keyboard.type('C-4711');
  await page.keyboard.press('Enter');
  expect((await gates())[0]!.approvals).toHaveLength(1);
  await tabTo('Risk');
  await page.keyboard.press('ArrowDown');
  await tabTo('The way back was tried');
  await page.keyboard.press('Space');
  await tabTo('Comment');
  await page.keyboard.type(REASON);
  await tabTo('Approve');
  await page.keyboard.press('Enter');
  await page.getByRole('status').filter({ hasText: 'Recorded.' }).waitFor();
  await shoot('recorded');

  const { approvals, outcome } = (await gates())[0]!;
  expect(outcome).toBe('approved');
  expect(approvals.at(-1)).toMatchObject({
    ...{ by: 'ana', reason: REASON, fields: { ticket: 'C-4711', risk: 'low', rollbackTested: true } },
    verified: { how: 'oidc', issuer: world.provider.issuer, subject: 'ana' },
  });
}, 120_000);

test('then it says that there is nothing to decide any more, and signing out ends it', async () => {
  await page.goto(`${world.origin}${PATH}`);
  await page.getByText('there is nothing to decide any more').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).press('Enter');
  await page.getByRole('heading', { name: 'Signed out' }).waitFor();
  await page.goto(`${world.origin}${PATH}`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}, 60_000);
