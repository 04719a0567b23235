import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { secretsOf } from '../../scripts/worker-process.ts';
import { follow, type Ending, type RunningProcedure } from '../support/acceptance-procedure.ts';
import { API, deployReadyApp, rolledOut, setImage, sample } from '../support/agent.ts';
import { createDatabaseBench, type DatabaseBench } from '../support/database.ts';
import { createHostVolume, type HostVolume } from '../support/host-volume.ts';
import { apply, kubectl } from '../support/namespace.ts';
import { openWindowStage, type WindowStage } from '../support/window-stage.ts';

// The shipped file of the agent hive on the sandbox, with a namespace and a database of its own. What differs from the file
// is where things are, and that its windows are open.
const SYSTEM = 'agent-hive';
const ENVIRONMENT = `acc-hive-${randomBytes(3).toString('hex')}`;
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
/** A node that no kubelet stands behind. */
const LOST_NODE = `${ENVIRONMENT}-node`;
const DAY_S = 86_400;

let logs: HostVolume;
let bench: DatabaseBench;
let stage: WindowStage;

beforeAll(async () => {
  const { redis, receivers } = readEndpoints();
  const secrets = secretsOf(readEndpoints());
  const opened = openNow();
  bench = await createDatabaseBench([SYSTEM, ENVIRONMENT, 'leanvibe'].join('/'));
  await bench.sql('CREATE TABLE runs AS SELECT n AS id FROM generate_series(1, 500) n');
  stage = await openWindowStage({
    ...{ system: SYSTEM, environment: ENVIRONMENT, as: 'kim', service: API.container },
    prepare: async (namespace) => {
      logs = await createHostVolume(namespace, 'leanvibe-logs');
      await deployReadyApp(namespace, API);
    },
    overlay: ({ name }) => overlayOf(name, opened),
    env: {
      AGENT_HIVE_REDIS_PASSWORD: readFileSync(redis.passwordFile, 'utf8').trim(),
      AGENT_HIVE_S3_ACCESS_KEY_ID: secrets['WINDLASS_S3_ACCESS_KEY_ID'],
      AGENT_HIVE_S3_SECRET_ACCESS_KEY: secrets['WINDLASS_SANDBOX_S3_SECRET'],
      AGENT_HIVE_BACKUP_KEY: secrets['WINDLASS_BACKUP_KEY'],
      AGENT_HIVE_SMTP: receivers.smtp,
    },
  });
}, 180_000);

afterAll(async () => {
  await kubectl('delete', 'node', LOST_NODE, '--ignore-not-found');
  await stage?.close();
  await bench?.remove();
  await logs?.remove();
}, 90_000);

function overlayOf(namespace: string, windows: object): Record<string, unknown> {
  const { s3, redis } = readEndpoints();
  const { host, port } = redis;
  return {
    services: { 'leanvibe-api': { port: 80 } },
    databases: {
      leanvibe: {
        name: bench.name,
        servers: {
          production: null,
          [ENVIRONMENT]: { ...bench.slice.server, password: 'env:WINDLASS_SANDBOX_POSTGRES_PASSWORD' },
        },
        backup: { store: { endpoint: s3.endpoint, bucket: s3.bucket, prefix: bench.prefix } },
      },
    },
    redis: {
      cache: {
        servers: { production: null, [ENVIRONMENT]: { host, port, password: 'env:AGENT_HIVE_REDIS_PASSWORD' } },
      },
    },
    channels: { stakeholders: { to: [`${ENVIRONMENT}@example.com`] } },
    runbooks: {
      'health-check': { parameters: { port: { default: 80 } } },
      // The sandbox's Prometheus has one job for all pods.
      'monitoring-is-current': { parameters: { query: { default: `sum(up{namespace="${namespace}"})` } } },
      'clean-up-logs': { parameters: { image: { default: sample('v1') } } },
    },
    windows,
  };
}

/**
 * The monthly window opened an hour ago and the weekly one fifty minutes ago, in a zone where it is about noon: no day ends
 * while the test runs.
 */
function openNow(): object {
  const hours = 12 - new Date().getUTCHours();
  // The signs of these zones are those of POSIX: behind Greenwich is positive.
  const zone = hours === 0 ? 'UTC' : `Etc/GMT${hours > 0 ? '-' : '+'}${Math.abs(hours)}`;
  const local = (minutesAgo: number): Date => new Date(Date.now() + hours * 3_600_000 - minutesAgo * 60_000);
  const of = (minutesAgo: number) => ({
    environments: [ENVIRONMENT],
    zone,
    opens: {
      weekday: WEEKDAYS[local(minutesAgo).getUTCDay()]!,
      week: null,
      at: local(minutesAgo).toISOString().slice(11, 16),
    },
    notice: '0s',
  });
  return { weekly: of(50), monthly: of(60) };
}

/** An old log, a new one, and something that is no log. */
function writeLogs(): void {
  for (const name of ['old.log', 'old.log.3.gz', 'new.log', 'old.txt']) {
    writeFileSync(join(logs.folder, name), name);
    const age = name.startsWith('new') ? 0 : 40 * DAY_S;
    utimesSync(join(logs.folder, name), Date.now() / 1000 - age, Date.now() / 1000 - age);
  }
}

/** Confirms each item of a window as it comes up, until the window has ended. */
async function confirmUntilEnd(window: RunningProcedure): Promise<Ending> {
  let over = false;
  const ending = window.ending().finally(() => (over = true));
  while (!over) {
    for (const id of await runbooksOf(window)) {
      const runbook = follow(stage.client.workflow.getHandle(id));
      for (const { name, outcome } of await runbook.gates().catch(() => []))
        if (outcome === 'waiting') await runbook.decide({ gate: name, by: 'operations-team-lead', reason: 'I looked' });
    }
    await sleep(500);
  }
  return ending;
}

/** Those that run now. */
async function runbooksOf({ id }: RunningProcedure): Promise<string[]> {
  const query = `WorkflowType = "runRunbook" AND ExecutionStatus = "Running" AND TaskQueue = "${ENVIRONMENT}"`;
  const ids: string[] = [];
  for await (const { workflowId } of stage.client.workflow.list({ query })) ids.push(workflowId);
  return ids.filter((each) => each.startsWith(`${id}/`));
}

const backups = async (): Promise<string[]> => (await bench.objects.list()).filter((key) => key.endsWith('.json'));

/** Starts a window by its Schedule, and follows the run that this made. */
async function trigger(window: string): Promise<RunningProcedure> {
  const schedule = stage.scheduleOf(window);
  const before = (await schedule.describe()).info.recentActions.length;
  await schedule.trigger();
  const { workflow } = await waitFor(
    'the run of the Schedule',
    async () => {
      const { recentActions } = (await schedule.describe()).info;
      return recentActions.length > before && recentActions.at(-1)!.action;
    },
    { timeoutSeconds: 30 },
  );
  return follow(stage.client.workflow.getHandle(workflow.workflowId, workflow.firstExecutionRunId));
}

describe('the health check', () => {
  const check = () => stage.cli('run', SYSTEM, ENVIRONMENT, 'health-check', '--on-failure', 'fail', '--wait');

  test('H-23.1 finds API, database, Redis, nodes and connections well, in one report, with exit status 0', async () => {
    const { code, json } = await check();
    expect([code, json['ending'].result.outcome]).toEqual([0, 'completed']);
    const { output } = json['ending'].result.steps.find(({ step }: { step: string }) => step === 'report');
    expect(output.well.sort()).toEqual(['api', 'connections', 'database', 'nodes', 'redis']);
    expect(output).toMatchObject({ ok: true, unwell: [], contentType: 'application/json' });
  }, 120_000);

  test('H-23.2 names each part that is not well, and ends with exit status 1', async () => {
    await setImage(stage.namespace, API, sample('v9'));
    await rolledOut(stage.namespace, API);
    await apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: LOST_NODE } });
    try {
      const { code, json } = await check();
      expect(code).toBe(1);
      const told = JSON.stringify(json);
      expect(told).toMatch(/api: .*redis/);
      expect(told).toContain(`nodes: node ${LOST_NODE} is not ready`);
    } finally {
      await kubectl('delete', 'node', LOST_NODE);
      await setImage(stage.namespace, API, sample('v1'));
      await rolledOut(stage.namespace, API);
    }
    expect((await check()).code).toBe(0);
  }, 240_000);
});

describe('windows', () => {
  test('H-22.1 nothing changes before the checklist: its items are checked, and confirmed by a named person', async () => {
    const before = await stage.pods();
    const window = await stage.open('weekly');
    const checklist = follow(stage.client.workflow.getHandle(`${window.id}/1-maintenance-agreed`));
    await waitFor('the question', async () => (await checklist.gates()).some(({ outcome }) => outcome === 'waiting'), {
      timeoutSeconds: 120,
    });
    expect(await stage.pods()).toBe(before);
    expect(await checklist.decide({ gate: 'maintenance-agreed', by: 'legal-team' })).toMatchObject({
      code: 'wrong-role',
    });
    expect(await stage.pods()).toBe(before);
    const ending = await confirmUntilEnd(window);
    expect(ending).toEqual(expect.objectContaining({ ok: true }));
    expect(await stage.pods()).not.toBe(before);
    expect((await checklist.gates())[0]).toMatchObject({
      outcome: 'approved',
      approvals: [expect.objectContaining({ by: 'operations-team-lead' })],
    });
  }, 300_000);

  test('H-22.2 a checklist with an item that is not well stops the window, and nothing is changed', async () => {
    await setImage(stage.namespace, API, sample('v9'));
    await rolledOut(stage.namespace, API);
    const before = await stage.pods();
    const window = await stage.open('weekly');
    expect(await window.ending()).toMatchObject({
      ok: false,
      type: 'ChecksFailed',
      message: expect.stringMatching(/before: runbook maintenance-agreed failed: .*api: /),
    });
    expect(await stage.pods()).toBe(before);
    await setImage(stage.namespace, API, sample('v1'));
    await rolledOut(stage.namespace, API);
  }, 240_000);

  test('H-19.1 are Schedules of the server; on a first Sunday the monthly one does the work of both, once, and the weekly one stays closed', async () => {
    const environments = [ENVIRONMENT];
    const { code, json } = await stage.applySchedules({
      windows: { weekly: { environments }, monthly: { environments } },
    });
    expect(code).toBe(0);
    expect(json['schedules'].map(({ verb, id }: { verb: string; id: string }) => `${verb} ${id}`).sort()).toEqual([
      `create window/${SYSTEM}/${ENVIRONMENT}/monthly`,
      `create window/${SYSTEM}/${ENVIRONMENT}/weekly`,
    ]);
    for (const [window, isOne] of [
      ['weekly', (at: Date) => at.getUTCDay() === 0],
      ['monthly', (at: Date) => at.getUTCDay() === 0 && at.getUTCDate() <= 7],
    ] as const) {
      const { nextActionTimes } = (await stage.scheduleOf(window).describe()).info;
      expect(nextActionTimes.length).toBeGreaterThan(3);
      expect(nextActionTimes.filter((at) => !isOne(at))).toEqual([]);
    }
    // Today is such a Sunday.
    expect((await stage.applySchedules()).code).toBe(0);
    writeLogs();
    const [before, known] = [await stage.pods(), await backups()];
    const monthly = await trigger('monthly');
    const weekly = await trigger('weekly');
    expect(await weekly.ending()).toMatchObject({ ok: true, result: { outcome: 'covered', coveredBy: 'monthly' } });
    const ending = await confirmUntilEnd(monthly);
    expect(ending).toMatchObject({ ok: true, result: { outcome: 'completed', report: { overrunMs: 0 } } });
    const { report } = (ending as Extract<Ending, { ok: true }>).result;
    expect(report['tasks'].map(({ part, runbook }: { part: string; runbook: string }) => `${part} ${runbook}`)).toEqual(
      [
        'before maintenance-agreed',
        ...['maintain-database', 'capacity-reviewed', 'apply-patches', 'monitoring-is-current', 'clean-up-logs'].map(
          (task) => `tasks ${task}`,
        ),
        'after maintenance-checked',
      ],
    );

    // Patched pods, old logs gone and nothing else, one backup more, restored to scratch, and the scratch dropped.
    expect(await stage.pods()).not.toBe(before);
    expect(
      ['old.log', 'old.log.3.gz', 'new.log', 'old.txt'].filter((name) => existsSync(join(logs.folder, name))),
    ).toEqual(['new.log', 'old.txt']);
    const made = (await backups()).filter((key) => !known.includes(key));
    expect(made.filter((key) => !key.includes('verif'))).toHaveLength(1);
    expect(report['verified']).toEqual(report['backups']);
    expect(await bench.databases()).toEqual([bench.name]);
  }, 300_000);
});
