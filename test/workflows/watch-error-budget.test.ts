import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDeployWorkflowActivities } from '../../activities/deploy-workflow.ts';
import { createErrorBudgetActivities } from '../../activities/error-budgets.ts';
import { createSecretResolver } from '../../src/adapters/secrets.ts';
import type { NoticeRequest } from '../../activities/notices.ts';
import { changeControlId, type ChangeControlState } from '../../src/contracts/change-control.ts';
import { errorBudget } from '../../src/contracts/error-budget.ts';
import type { EvidenceInput } from '../../src/contracts/evidence.ts';
import type { SloMeasurement, WatchErrorBudgetResult } from '../../src/contracts/watch-error-budget.ts';
import { slice as serviceSlice } from '../support/live.ts';
import { startReceivers, type Receivers } from '../support/receivers/server.ts';
import { startLocalServer, type TestTemporal } from '../support/temporal.ts';
import { failureOf } from '../support/workflow-failure.ts';

// Change control and the receiver of GitHub are real; what is measured is what the test says.
let temporal: TestTemporal;
let receivers: Receivers;
let folder: string;
let environments = 0;
let world: ReturnType<typeof newWorld>;

function newWorld() {
  const number = ++environments;
  return {
    environment: `e${number}`,
    repository: `acme/shop-${number}`,
    /** Part that was bad; undefined: not to be measured. */
    ratio: 0 as number | undefined,
    budget: {} as object,
    notices: [] as NoticeRequest[],
    refusing: [] as string[],
    evidence: [] as EvidenceInput[],
  };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'budgets-'));
  receivers = await startReceivers({ port: 0, logFile: join(folder, 'requests.jsonl') });
  temporal = await startLocalServer({
    activities: (given) => ({
      ...createErrorBudgetActivities({
        ...given,
        catalog: { current: () => Promise.reject(new Error('not read here')) },
      }),
      ...createDeployWorkflowActivities({ secrets: createSecretResolver({ env: { GITHUB_TOKEN: 'ghp_x' } }) }),
      loadErrorBudget: async ({ environment }: { environment: string }) => {
        const { service: _, spec: __, policies: ___, ...slice } = serviceSlice();
        return { ...slice, environment, budget: errorBudget.parse(budgetOf()) };
      },
      measureErrorBudget: async (): Promise<SloMeasurement[]> => [
        world.ratio === undefined
          ? { slo: 'availability', error: 'Prometheus cannot be asked' }
          : { slo: 'availability', errorRatio: world.ratio, recentErrorRatio: world.ratio },
      ],
      keepEvidence: async (evidence: EvidenceInput) => {
        world.evidence.push(evidence);
        return { uri: `s3://evidence/${evidence.key}`, sha256: '', bytes: 0, contentType: '' };
      },
      notify: async (notice: NoticeRequest) => {
        const delivered = notice.channels.filter((channel) => !world.refusing.includes(channel));
        if (delivered.length > 0) world.notices.push({ ...notice, channels: delivered });
        const failed = notice.channels.filter((channel) => world.refusing.includes(channel));
        return { delivered, failed: failed.map((channel) => ({ channel, error: 'no answer' })) };
      },
    }),
  });
}, 120_000);
afterAll(async () => {
  await temporal?.stop();
  await receivers.close();
  rmSync(folder, { recursive: true });
}, 60_000);
beforeEach(() => {
  world = newWorld();
});

const budgetOf = () => ({
  notify: ['team'],
  stakeholders: ['board'],
  staleAfter: '30m',
  recovery: { plan: 'Find the cause and fix it.' },
  deployWorkflow: {
    ...{ repository: world.repository, file: 'deploy.yml', token: 'env:GITHUB_TOKEN' },
    url: `${receivers.url}/github`,
  },
  slos: {
    availability: {
      objective: 99,
      errorRatio: 'bad[$window]',
      yellow: { below: 50, returnsAt: 60 },
      red: { below: 10, returnsAt: 20 },
      hold: '0s',
    },
  },
  ...world.budget,
});

const start = (over: object = {}) => {
  const { environment } = world;
  const workflowId = `error-budget/test/${environment}`;
  const input = { system: 'test', environment, requestedBy: 'kim', ...over };
  return temporal.client.workflow.execute('watchErrorBudget', {
    ...{ taskQueue: temporal.taskQueue, workflowId, args: [input] },
  }) as Promise<WatchErrorBudgetResult>;
};
/** Measures once; the part that was bad is of a budget of one percent. */
const measure = (leftPercent: number | undefined): Promise<WatchErrorBudgetResult> => {
  world.ratio = leftPercent === undefined ? undefined : (0.01 * (100 - leftPercent)) / 100;
  return start();
};
const known = async () => {
  const handle = temporal.client.workflow.getHandle(
    changeControlId({ system: 'test', environment: world.environment }),
  );
  return (await handle.query<ChangeControlState>('state')).budget!;
};
const atGithub = async (): Promise<string> =>
  (await (await fetch(`${receivers.url}/shown?repository=${encodeURIComponent(world.repository)}`)).json()) as string;
const byHand = async (verb: 'disable' | 'enable') => {
  const url = `${receivers.url}/github/repos/${world.repository}/actions/workflows/deploy.yml/${verb}`;
  const headers = { authorization: 'Bearer of-a-person', 'user-agent': 'gh', 'x-github-api-version': '2022-11-28' };
  expect((await fetch(url, { method: 'PUT', headers })).status).toBe(204);
};
const changesAtGithub = async (): Promise<string[]> => {
  const all = (await (await fetch(`${receivers.url}/requests`)).json()) as {
    method: string;
    path: string;
    outcome: string;
  }[];
  return all.flatMap(({ method, path, outcome }) =>
    method === 'PUT' && path.includes(`/${world.repository}/`) ? [`${path.split('/').at(-1)} ${outcome}`] : [],
  );
};
const told = () => world.notices.map(({ channels, text }) => `${channels.join()}: ${text.split(/[:.]/)[0]}`);
const zoned = (zone: string, former: string) =>
  `Error budget of test ${world.environment} is ${zone} (it was ${former})`;

test('a budget that is used up freezes, tells, and disables the workflow; back in green it is enabled again', async () => {
  expect(await measure(100)).toMatchObject({ outcome: 'measured', zone: 'green', from: 'unknown' });
  expect([await atGithub(), told()]).toEqual(['active', []]);
  expect(await measure(40)).toMatchObject({ zone: 'yellow', from: 'green' });
  expect(await atGithub()).toBe('active');
  const red = await measure(5);
  expect(red).toMatchObject({
    zone: 'red',
    from: 'yellow',
    deployWorkflow: `${world.repository}/deploy.yml is disabled at GitHub`,
  });
  expect([await atGithub(), (await known()).workflow?.state]).toEqual(['disabled_manually', 'disabled']);
  expect(await measure(30)).toMatchObject({ zone: 'yellow', from: 'red' });
  expect(await atGithub()).toBe('disabled_manually');
  expect(await measure(90)).toMatchObject({ zone: 'green', from: 'yellow' });
  expect([await atGithub(), (await known()).workflow]).toEqual(['active', undefined]);
  expect(told()).toEqual([
    `team: ${zoned('yellow', 'green')}`,
    `team,board: ${zoned('red', 'yellow')}`,
    `team,board: ${zoned('yellow', 'red')}`,
    `team: ${zoned('green', 'yellow')}`,
  ]);
  const [, freeze] = world.notices;
  expect(freeze!.text).toContain('Recovery plan: Find the cause and fix it.');
  expect(freeze!.text).toContain(`Evidence: ${red.evidence!.uri}`);
  expect(world.evidence.find(({ key }) => red.evidence!.uri.endsWith(key))!.body).toContain('## Recovery plan');
}, 60_000);

test('what has not changed is not told again, and GitHub not changed again', async () => {
  for (const left of [5, 4, 3]) await measure(left);
  expect(told()).toEqual([`team,board: ${zoned('red', 'unknown')}`]);
  expect(await changesAtGithub()).toEqual(['disable accepted']);
  expect(world.evidence).toHaveLength(1);
}, 60_000);

test('a channel that did not get it is told by the next run, the others are not', async () => {
  world.refusing = ['board'];
  await measure(5);
  world.refusing = [];
  await measure(5);
  expect(told()).toEqual([`team: ${zoned('red', 'unknown')}`, `board: ${zoned('red', 'unknown')}`]);
}, 60_000);

test('a workflow that a person disabled before stays disabled in green', async () => {
  await byHand('disable');
  expect((await measure(5)).deployWorkflow).toContain('it was disabled_manually before and stays so');
  await measure(90);
  expect([await atGithub(), await changesAtGithub()]).toEqual(['disabled_manually', ['disable accepted']]);
}, 60_000);

test('a workflow that a person enabled in red is not disabled again', async () => {
  await measure(5);
  await byHand('enable');
  expect((await measure(4)).deployWorkflow).toContain('somebody enabled it again');
  await measure(3);
  await measure(90);
  expect([await atGithub(), await changesAtGithub()]).toEqual(['active', ['disable accepted', 'enable accepted']]);
}, 60_000);

test('when GitHub forbids it the zone is there, people are told once, and it is tried again', async () => {
  const path = `/github/repos/${world.repository}/actions/workflows/deploy.yml/disable`;
  const fault = { path, status: 403 };
  await fetch(`${receivers.url}/faults`, { method: 'PUT', body: JSON.stringify(fault) });
  expect((await measure(5)).deployWorkflow).toContain('could not be changed: GitHub refuses');
  await measure(5);
  expect(await known()).toMatchObject({ zone: 'red', workflow: { state: 'disabling' }, told: { workflowFault: true } });
  await fetch(`${receivers.url}/faults`, { method: 'DELETE' });
  await measure(5);
  expect([await atGithub(), (await known()).workflow?.state]).toEqual(['disabled_manually', 'disabled']);
  expect(told().filter((line) => line.includes('could not'))).toHaveLength(0);
  expect(world.notices.filter(({ text }) => text.includes('could not be changed'))).toHaveLength(1);
}, 60_000);

test('what cannot be measured keeps the zone, and people hear of it once', async () => {
  world.budget = { staleAfter: '0s' };
  await measure(40);
  for (const left of [undefined, undefined]) expect(await measure(left)).toMatchObject({ zone: 'yellow' });
  await measure(40);
  const texts = world.notices.map(({ text }) => text);
  expect(texts.filter((text) => text.includes('is not measured any more'))).toHaveLength(1);
  expect(texts.filter((text) => text.includes('is measured again'))).toHaveLength(1);
}, 60_000);

test('a plan says what would follow, and touches nothing', async () => {
  await measure(90);
  world.ratio = 0.01;
  const { outcome, plan } = await start({ planOnly: true });
  expect(outcome).toBe('planned');
  expect(plan!.changes.map(({ kind, why }) => `${kind}: ${why.split(':')[0]}`)).toEqual([
    'error-budget zone: green → red',
    'GitHub workflow: disable',
    'notice: the zone is red',
    'notice: the zone is red',
  ]);
  expect([await atGithub(), (await known()).zone, told()]).toEqual(['active', 'green', []]);
}, 60_000);

test('a wrong input is refused by name', async () => {
  expect(await failureOf(start({ zone: 'green' }))).toMatchObject({ type: 'InvalidInput' });
}, 60_000);
