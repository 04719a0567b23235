import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deployRelease, type DeployReleaseResult } from '../../src/contracts/deploy-release.ts';
import { adminCluster } from '../support/namespace.ts';
import { stepsIn } from './in-browser.ts';
import { openBrowserStage, type BrowserStage } from './stage.ts';
import { openTemporalUi, type TemporalUi } from './temporal-ui.ts';

// What a person does who has only the README and the Temporal UI. Each test goes on where the one before ended.
const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
const INPUT = /```json\n([^]*?)```/.exec(README)![1]!;
const TASK_QUEUE = /type `deployRelease`, task queue `([^`]+)`/.exec(README)![1]!;
/** Nothing that Windlass would derive from the input; a person who types an id may type anything. */
const TYPED_ID = "kim's friday release";

let stage: BrowserStage;
let ui: TemporalUi;

beforeAll(async () => {
  stage = await openBrowserStage({ taskQueue: TASK_QUEUE, prefix: 'browser' });
  ui = await openTemporalUi(stage.url, stage.namespace);
}, 120_000);
afterAll(async () => {
  await ui?.close();
  await stage?.close();
}, 60_000);

const inBrowser = stepsIn(() => ui);

inBrowser('a release starts from the form with the input of the README, under any workflow id', async () => {
  const started = await ui.startWorkflow({
    workflowId: TYPED_ID,
    taskQueue: TASK_QUEUE,
    workflowType: deployRelease.procedure,
    input: INPUT,
  });
  await ui.openWorkflow(TYPED_ID, started);
  await ui.untilStatus('Running');
});

inBrowser('its current details say what it waits for, who decides, until when, and what to type', async () => {
  await ui.openTab('User Metadata');
  const details = await ui.currentDetails('Shall this release go out?');

  expect(details).toContain('Waiting for approval of shop v2');
  expect(details).toContain('Change: v1 → v2, asked by kim');
  expect(details).toMatch(/Who decides: engineering-lead \(ana, bea\)\nUntil: \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
  expect(details).toContain('More Actions → Send a Signal → approve (or reject), with your name for <you>:');
  // As a shell reads it: a backslash joins lines.
  const commands = details.replaceAll(/ \\\n\s+/g, ' ');
  expect(commands).toContain(`windlass approve 'kim'\\''s friday release' engineering-lead --as <you>`);
  expect(commands).toContain(`kubectl --context windlass-sandbox -n ${stage.namespace} patch`);
});

inBrowser(
  'the signal form offers approve with its description, and takes the input that the details show',
  async () => {
    const shown = await ui.codeBlock(0);
    const description = await ui.sendSignal('approve', shown.replace('<you>', 'ana'));

    expect(description).toContain('Approve a gate');
    expect(await ui.currentDetails('ana approved')).toContain('ana approved: Gate engineering-lead is approved.');
  },
);

inBrowser('then the page shows it going on, its result, and what each step was for', async () => {
  await ui.currentDetails(/Soak v2|Switch traffic|Smoke tests/);
  await ui.untilStatus('Completed');
  await ui.openTab('Timeline');
  const result = JSON.parse(await ui.result()) as DeployReleaseResult;

  expect(result).toMatchObject({ outcome: 'released', version: 'v2', previous: { deployment: 'shop', version: 'v1' } });
  await ui.untilTimelineShows('Soak: round');
  await ui.untilTimelineShows('measure • Metrics of the new color');
});

inBrowser('and all traffic of the shop goes to the color that the result names', async () => {
  const { previous, color } = (await stage.client.workflow.getHandle(TYPED_ID).result()) as DeployReleaseResult;
  const service = await adminCluster().read('Service', stage.namespace, 'shop');

  expect(previous?.deployment).toBe('shop');
  expect(service?.spec?.selector).toMatchObject({ app: 'shop', version: color });
});
