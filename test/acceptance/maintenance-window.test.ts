import { randomBytes } from 'node:crypto';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { follow, type RunningProcedure } from '../support/acceptance-procedure.ts';
import { createDatabaseBench, type DatabaseBench } from '../support/database.ts';
import { adminCluster, deployReadySample, kubectl } from '../support/namespace.ts';
import { deployPage, openWindowStage, PAGE, type WindowStage } from '../support/window-stage.ts';

// The shipped CLI and worker on the sandbox's catalog, with a database and a namespace of its own.
const SYSTEM = 'sandbox';
/** Also of its change control, which no other worker's serves. */
const ENVIRONMENT = `acc-window-${randomBytes(3).toString('hex')}`;
let bench: DatabaseBench;
let stage: WindowStage;

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
  bench = await createDatabaseBench([SYSTEM, ENVIRONMENT, 'shop'].join('/'));
  await bench.sql('CREATE TABLE orders AS SELECT n AS id FROM generate_series(1, 500) n');
  stage = await openWindowStage({
    ...{ system: SYSTEM, environment: ENVIRONMENT, production: false, as: 'kim', service: 'shop' },
    prepare: async (namespace) => {
      await Promise.all([deployPage(namespace), deployReadySample({ namespace: namespace.name })]);
    },
    overlay: () => ({
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
    }),
  });
}, 180_000);

afterAll(async () => {
  await stage?.close();
  await bench?.remove();
}, 60_000);

const variables = async (): Promise<(string | undefined)[]> =>
  (await adminCluster().read('Deployment', stage.namespace.name, 'shop')).spec.template.spec.containers[0]!.env!.map(
    ({ name }) => name,
  );
const annotations = async () =>
  (await adminCluster().read('Service', stage.namespace.name, 'shop')).metadata.annotations;

/** A runbook of a window, once it asks. */
async function asking(id: string): Promise<RunningProcedure> {
  const runbook = follow(stage.client.workflow.getHandle(id));
  await waitFor(`${id} to ask`, async () => (await runbook.gates()).some(({ outcome }) => outcome === 'waiting'), {
    timeoutSeconds: 60,
  });
  return runbook;
}

test('S-21.1 shows the page before the update, and the shop again after it', async () => {
  const running = await stage.open('weekly');
  const before = await asking(`${running.id}/1-checked-before`);
  expect(await stage.reached()).toEqual(['shop']);
  expect(await variables()).not.toContain('UPDATED');

  await confirm(before, 'told-support');
  await stage.untilReached(PAGE.deployment);
  const after = await asking(`${running.id}/4-checked-after`);
  await stage.untilReached('shop');
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
  await kubectl('-n', stage.namespace.name, 'set', 'env', 'deployment/shop', 'UPDATED-');
  await kubectl('-n', stage.namespace.name, 'rollout', 'status', 'deployment/shop', '--timeout=120s');
  const running = await stage.open('failing');
  await stage.untilReached(PAGE.deployment);
  const ending = await running.ending();
  expect(ending).toMatchObject({ ok: false, type: 'ChecksFailed' });
  await stage.untilReached('shop');
  expect(await variables()).not.toContain('UPDATED');
  expect(await annotations()).not.toHaveProperty(['windlass.dev/maintenance']);
}, 240_000);

test('S-21.3 shows the shop again when a person aborts the update', async () => {
  const running = await stage.open('slow');
  await stage.untilReached(PAGE.deployment);
  expect((await stage.cli('abort', running.id, '--reason', 'customers call')).code).toBe(0);
  expect(await running.ending()).toMatchObject({ ok: false, type: 'Aborted' });
  await stage.untilReached('shop');
}, 240_000);
