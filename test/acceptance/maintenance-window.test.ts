import { Client, Connection } from '@temporalio/client';
import { randomBytes } from 'node:crypto';
import { endMatching } from '../../scripts/end-matching.ts';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { cliOf, ensureCli, type CliAnswer } from '../support/acceptance-cli.ts';
import { follow, type RunningProcedure } from '../support/acceptance-procedure.ts';
import { createDatabaseBench, type DatabaseBench } from '../support/database.ts';
import {
  adminCluster,
  apply,
  createTestNamespace,
  deployReadySample,
  kubectl,
  sampleContainer,
  type TestNamespace,
} from '../support/namespace.ts';
import { startWorker, type WorkerProcess } from '../support/worker.ts';

// The shipped CLI and worker on the sandbox's catalog, with a database and a namespace of its own.
const SYSTEM = 'sandbox';
const taskQueue = `acc-window-${randomBytes(3).toString('hex')}`;
/** Also of its change control, which no other worker's serves. */
const ENVIRONMENT = taskQueue;
let bench: DatabaseBench;
let namespace: TestNamespace;
let worker: WorkerProcess;
let client: Client;

const on = { action: 'showMaintenancePage', with: { service: 'shop', page: 'maintenance-page' } };
const off = { action: 'hideMaintenancePage', with: { service: 'shop' } };
const window = (over: object) => ({
  description: 'A test',
  environments: [ENVIRONMENT],
  service: 'shop',
  zone: 'UTC',
  opens: { weekday: 'sunday', at: '02:00' },
  duration: '2h',
  mode: { on, off },
  tasks: [{ runbook: 'update' }],
  ...over,
});
/** The version of the shop is what its environment says. */
const update = (more: object[] = []) => ({
  description: 'A new variable, and pods that have it',
  changes: ['service'],
  steps: [
    { action: 'setEnv', with: { name: 'shop', container: 'app', env: { UPDATED: 'yes' } }, undo: 'own' },
    { action: 'awaitRollout', with: { name: 'shop', within: '2m' } },
    ...more,
  ],
});
const gate = { kind: 'confirmation', roles: ['devops'], fourEyes: false };
const WINDOWS = {
  weekly: window({
    backups: ['shop'],
    before: [{ runbook: 'checked-before' }],
    tasks: [{ runbook: 'update' }, { runbook: 'tidy-database' }],
    after: [{ runbook: 'checked-after' }],
  }),
  monthly: null,
  failing: window({ tasks: [{ runbook: 'update-fails' }, { runbook: 'tidy-database' }] }),
  slow: window({ tasks: [{ runbook: 'slow' }] }),
};
const RUNBOOKS = {
  update: update(),
  'update-fails': update([{ action: 'checkEndpoints', with: { service: 'shop', atLeast: 99, orFail: true } }]),
  slow: { description: 'Takes its time', changes: ['service'], steps: [{ wait: '10m' }] },
  'checked-before': {
    description: 'Automatic items, and one for a person',
    steps: [
      { action: 'checkEndpoints', with: { service: 'shop', orFail: true } },
      { gate: { ...gate, name: 'told-support', asks: 'Has support been told?' } },
    ],
  },
  'checked-after': {
    description: 'Automatic items, and one for a person',
    steps: [
      { action: 'checkEndpoints', with: { service: 'shop', orFail: true } },
      { gate: { ...gate, name: 'looked-at-shop', asks: 'Does the shop look well?' } },
    ],
  },
};

beforeAll(async () => {
  await ensureCli();
  const { temporal, kubernetes, prometheus } = readEndpoints();
  const connection = await Connection.connect({ address: temporal.address });
  client = new Client({ connection, namespace: temporal.namespace });
  [bench, namespace] = await Promise.all([
    createDatabaseBench([SYSTEM, ENVIRONMENT, 'shop'].join('/')),
    createTestNamespace(),
  ]);
  await bench.sql('CREATE TABLE orders AS SELECT n AS id FROM generate_series(1, 500) n');
  const labels = { app: 'maintenance-page' };
  await apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'maintenance-page', namespace: namespace.name, labels },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [sampleContainer('v9')] } },
    },
  });
  await deployReadySample({ namespace: namespace.name });
  await kubectl('-n', namespace.name, 'rollout', 'status', 'deployment/maintenance-page', '--timeout=120s');
  const place = { cluster: { context: kubernetes.context }, namespace: namespace.name };
  worker = await startWorker({
    taskQueue,
    overlays: [
      {
        overlayOf: SYSTEM,
        environments: {
          local: null,
          [ENVIRONMENT]: { ...place, prometheus: prometheus.url, production: false },
        },
        databases: {
          shop: {
            name: bench.name,
            servers: {
              local: null,
              [ENVIRONMENT]: { ...bench.slice.server, password: 'env:WINDLASS_SANDBOX_POSTGRES_PASSWORD' },
            },
            backup: { store: { prefix: bench.prefix } },
          },
        },
        runbooks: RUNBOOKS,
        windows: WINDOWS,
      },
    ],
  });
}, 180_000);

afterAll(async () => {
  await endMatching(client, `TaskQueue = "${taskQueue}" AND ExecutionStatus = "Running"`, 'the test is over');
  await worker?.stop();
  await client?.connection.close();
  await bench?.remove();
  await namespace?.remove();
}, 60_000);

const cli = (...args: string[]): Promise<CliAnswer> => cliOf(taskQueue)('kim', ...args);

async function open(name: string): Promise<RunningProcedure> {
  const { code, json } = await cli('window', 'start', SYSTEM, ENVIRONMENT, name, '--now');
  if (code !== 0) throw new Error(`the window did not start: ${JSON.stringify(json)}`);
  return follow(client.workflow.getHandle(json['id'] as string, json['runId'] as string));
}

/** What traffic reaches, by the endpoints of the Service. */
async function reached(): Promise<string[]> {
  const slices = await adminCluster().list('EndpointSlice', namespace.name, {
    labelSelector: 'kubernetes.io/service-name=shop',
  });
  const ready = slices.flatMap(({ endpoints = [] }) => endpoints.filter(({ conditions }) => conditions?.ready));
  return [...new Set(ready.map(({ targetRef }) => targetRef!.name!.replace(/-[a-z0-9]+-[a-z0-9]+$/, '')))].sort();
}
const untilReached = (...names: string[]): Promise<unknown> =>
  waitFor(`traffic to ${names.join()}`, async () => (await reached()).join() === names.join(), { timeoutSeconds: 60 });
const variables = async (): Promise<(string | undefined)[]> =>
  (await adminCluster().read('Deployment', namespace.name, 'shop')).spec.template.spec.containers[0]!.env!.map(
    ({ name }) => name,
  );
const annotations = async () => (await adminCluster().read('Service', namespace.name, 'shop')).metadata.annotations;

/** A runbook of a window, once it asks. */
async function asking(id: string): Promise<RunningProcedure> {
  const runbook = follow(client.workflow.getHandle(id));
  await waitFor(`${id} to ask`, async () => (await runbook.gates()).some(({ outcome }) => outcome === 'waiting'), {
    timeoutSeconds: 60,
  });
  return runbook;
}

test('S-21.1 shows the page before the update, and the shop again after it', async () => {
  const running = await open('weekly');
  const before = await asking(`${running.id}/1-checked-before`);
  expect(await reached()).toEqual(['shop']);
  expect(await variables()).not.toContain('UPDATED');

  await confirm(before, 'told-support');
  await untilReached('maintenance-page');
  const after = await asking(`${running.id}/4-checked-after`);
  await untilReached('shop');
  expect(await variables()).toContain('UPDATED');
  expect(await annotations()).not.toHaveProperty(['windlass.dev/maintenance']);
  await confirm(after, 'looked-at-shop');

  const ending = await running.ending();
  expect(ending).toMatchObject({ ok: true, result: { outcome: 'completed', report: { overrunMs: 0 } } });
}, 240_000);

async function confirm(runbook: RunningProcedure, name: string): Promise<void> {
  expect(await runbook.decide({ gate: name, by: 'ana' })).toMatchObject({ code: 'wrong-role' });
  expect(await runbook.decide({ gate: name, by: 'lee', reason: 'I looked' })).toMatchObject({ code: 'recorded' });
}

test('S-21.2 shows the shop again when the update fails, which is taken back', async () => {
  await kubectl('-n', namespace.name, 'set', 'env', 'deployment/shop', 'UPDATED-');
  await kubectl('-n', namespace.name, 'rollout', 'status', 'deployment/shop', '--timeout=120s');
  const running = await open('failing');
  await untilReached('maintenance-page');
  const ending = await running.ending();
  expect(ending).toMatchObject({ ok: false, type: 'ChecksFailed' });
  await untilReached('shop');
  expect(await variables()).not.toContain('UPDATED');
  expect(await annotations()).not.toHaveProperty(['windlass.dev/maintenance']);
}, 240_000);

test('S-21.3 shows the shop again when a person aborts the update', async () => {
  const running = await open('slow');
  await untilReached('maintenance-page');
  expect((await cli('abort', running.id, '--reason', 'customers call')).code).toBe(0);
  expect(await running.ending()).toMatchObject({ ok: false, type: 'Aborted' });
  await untilReached('shop');
}, 240_000);
