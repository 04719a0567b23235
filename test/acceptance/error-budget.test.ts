import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import type { WatchErrorBudgetResult } from '../../src/contracts/watch-error-budget.ts';
import { openAcceptance, type Acceptance } from '../support/acceptance.ts';
import { BRISK, SYSTEM } from '../support/acceptance-catalog.ts';
import type { Stage } from '../support/acceptance-stage.ts';
import { startReceivers, type Receivers } from '../support/receivers/server.ts';

// The budget is measured by Prometheus of an application that really fails: of more than 20 requests a second v1 fails 30 %,
// which leaves 40 % of a budget of one half, and v2 90 %, which is more than all of it; v10 fails none.
const failing = (rate: number) => ({ errorsUnderLoad: { aboveRps: 20, rate } });
const FAULTS = { v1: failing(0.3), v2: failing(0.9), v4: {} };
const series = (more: string) => `sum(rate(http_requests_total{namespace="$namespace"${more}}[$window]))`;
const RECOVERY = 'Find the cause, fix it, and make it impossible.';

let folder: string;
let receivers: Receivers;
let acceptance: Acceptance;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'error-budget-'));
  receivers = await startReceivers({ port: 0, logFile: join(folder, 'requests.jsonl') });
  const budgetOf = (environment: string) => ({
    notify: ['slack'],
    stakeholders: ['board'],
    recovery: { plan: RECOVERY },
    deployWorkflow: {
      ...{ repository: `acme/${environment}`, file: 'deploy.yml', token: 'env:TEST_GITHUB_TOKEN' },
      url: `${receivers.url}/github`,
    },
    slos: {
      availability: {
        objective: 50,
        window: '10s',
        burnWindow: '5s',
        errorRatio: `(${series(',status=~"5.."')} or vector(0)) / (${series('')} > 0)`,
        yellow: { below: 50, returnsAt: 60 },
        red: { below: 10, returnsAt: 20 },
        hold: '1s',
      },
    },
  });
  acceptance = await openAcceptance({
    subject: 'budget',
    stages: 2,
    variants: { brisk: BRISK },
    catalog: (environments) => ({
      channels: { board: { kind: 'webhook', url: 'env:TEST_BOARD_URL' } },
      errorBudgets: Object.fromEntries(environments.map((each) => [each, budgetOf(each)])),
    }),
    env: { TEST_GITHUB_TOKEN: 'ghp_of-the-test', TEST_BOARD_URL: `${receivers.url}/webhook/board` },
  });
}, 180_000);
afterAll(async () => {
  await acceptance?.close();
  await receivers?.close();
  rmSync(folder, { recursive: true });
});

async function measure({ start, environment }: Stage): Promise<WatchErrorBudgetResult> {
  const watch = await start('watchErrorBudget', { system: SYSTEM, environment, requestedBy: 'schedule' });
  const ending = await watch.ending();
  if (!ending.ok) throw new Error(`${ending.type}: ${ending.message}`);
  return ending.result as WatchErrorBudgetResult;
}
const untilZone = (stage: Stage, zone: string): Promise<WatchErrorBudgetResult> =>
  waitFor(
    `zone ${zone}`,
    async () => {
      const found = await measure(stage);
      return found.zone === zone ? found : undefined;
    },
    { timeoutSeconds: 120 },
  );
const atGithub = async ({ environment }: Stage): Promise<string> => {
  const repository = encodeURIComponent(`acme/${environment}`);
  return (await (await fetch(`${receivers.url}/shown?repository=${repository}`)).json()) as string;
};
const boardHeard = async ({ environment }: Stage): Promise<string[]> => {
  const all = (await (await fetch(`${receivers.url}/requests?path=/webhook/board`)).json()) as {
    body: { text: string };
  }[];
  return all.flatMap(({ body }) => (body.text.includes(environment) ? [body.text] : []));
};
async function releaseApproved(stage: Stage, version: string, ...flags: string[]) {
  const release = await stage.deploy(version, ...flags);
  await release.approveAll();
  return release.ending();
}
const CRITICAL = ['--critical', '--reason', 'it stops the errors'];

test(
  'L-10.1 is green while the application answers well; yellow pauses, red freezes, tells and disables; green lifts it all',
  () =>
    acceptance.stage({ service: 'brisk', faults: FAULTS }, async (stage) => {
      const light = await stage.load(8);
      await untilZone(stage, 'green');
      await light.stop();
      expect(await atGithub(stage)).toBe('active');

      await stage.load(60);
      await untilZone(stage, 'yellow');
      expect(await atGithub(stage)).toBe('active');
      const paused = await (await stage.deploy('v2')).ending();
      expect(paused).toMatchObject({ ok: false, type: 'ChangesClosed' });
      const { message } = paused as { message: string };
      expect(message).toMatch(/error-budget availability \(yellow since .* has [\d.]+ % of its budget left/);
      expect(message).toContain('it lifts when at least 60 % of the budget of availability were left for 1 s');
      expect(await stage.served()).toBe('v1');

      expect(await releaseApproved(stage, 'v2', ...CRITICAL)).toMatchObject({
        ok: true,
        result: { outcome: 'released' },
      });
      const red = await untilZone(stage, 'red');
      await measure(stage);
      expect(await atGithub(stage)).toBe('disabled_manually');
      const heard = await boardHeard(stage);
      expect(heard).toHaveLength(1);
      expect(heard[0]).toContain(`is red (it was yellow): all releases are frozen`);
      expect(heard[0]).toContain(`Recovery plan: ${RECOVERY}`);
      expect(await acceptance.evidence(red.evidence!.uri)).toContain('## Recovery plan');
      const { json } = await acceptance.cli('kim', 'zones', SYSTEM, stage.environment, '--json');
      expect(json).toMatchObject({ zones: [{ environment: stage.environment, zone: 'red', stale: false }] });
      expect(await (await stage.deploy('v10', ...CRITICAL)).ending()).toMatchObject({
        ok: false,
        type: 'ChangesClosed',
        message: expect.stringContaining('all releases are frozen') as string,
      });

      const rollback = await stage.rollback('--mode', 'emergency');
      expect(await rollback.ending()).toMatchObject({ ok: true, result: { outcome: 'rolled-back', version: 'v1' } });
      const { memo } = await rollback.handle.describe();
      expect(memo!['breakGlass']).toMatch(/^rollback passes error-budget availability \(red since/);

      await untilZone(stage, 'yellow');
      expect(await atGithub(stage)).toBe('disabled_manually');
      expect(await releaseApproved(stage, 'v10', ...CRITICAL)).toMatchObject({ ok: true });
      await untilZone(stage, 'green');
      expect(await atGithub(stage)).toBe('active');
      expect(await releaseApproved(stage, 'v4')).toMatchObject({ ok: true, result: { outcome: 'released' } });
      expect(await stage.served()).toBe('v4');
    }),
  480_000,
);

test(
  'L-10.2 changes nothing by a plan, and shows what a release would be refused for and a rollback would pass, as it then does',
  () =>
    acceptance.stage({ service: 'brisk', faults: { v2: failing(0.9) } }, async (stage) => {
      await stage.release('v2');
      await stage.load(60);
      const place = [SYSTEM, stage.environment];
      const planned = await waitFor(
        'a plan that freezes',
        async () => {
          const { json } = await acceptance.cli('kim', 'plan', 'budget', ...place, '--json');
          return JSON.stringify(json).includes('→ red') ? json : undefined;
        },
        { timeoutSeconds: 120 },
      );
      expect(JSON.stringify(planned)).toContain('GitHub workflow');
      expect([await atGithub(stage), await boardHeard(stage)]).toEqual(['active', []]);
      expect((await acceptance.cli('kim', 'zones', ...place, '--json')).json).toMatchObject({ zones: [] });

      await untilZone(stage, 'red');
      const { code, json } = await acceptance.cli(
        'kim',
        'plan',
        'deploy',
        ...stage.place,
        'docker.io/windlass/sample:v10',
        '--json',
      );
      expect(code).toBe(1);
      expect(JSON.stringify(json)).toContain('changes-closed');
      expect(JSON.stringify(json)).toContain('of its budget left');
      const back = ['plan', 'rollback', ...stage.place, '--mode', 'emergency', '--reason', 'errors rose', '--json'];
      expect(await acceptance.cli('ana', ...back)).toMatchObject({
        code: 0,
        json: {
          plan: {
            record: { version: 'v1' },
            breakGlass: expect.stringMatching(/^rollback passes error-budget availability \(red since/),
          },
        },
      });
      expect(await stage.served()).toBe('v2');

      const rollback = await stage.rollback('--mode', 'emergency');
      expect(await rollback.ending()).toMatchObject({ ok: true, result: { outcome: 'rolled-back', version: 'v1' } });
      expect(await stage.served()).toBe('v1');
    }),
  300_000,
);
