import { Client, Connection } from '@temporalio/client';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from 'node:tls';
import { stringify } from 'yaml';
import { endMatching } from '../../scripts/end-matching.ts';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { openingsWithin } from '../../src/calendar/openings.ts';
import type { WindowReport } from '../../src/contracts/maintenance-window.ts';
import { maintenance } from '../../src/contracts/window.ts';
import { cliOf, ensureCli, type CliAnswer } from '../support/acceptance-cli.ts';
import { follow, type Ending, type RunningProcedure } from '../support/acceptance-procedure.ts';
import { deployReadyApp, rolledOut, sample, setImage, type App } from '../support/agent.ts';
import { makeCertificate, serveCertificate } from '../support/certificates.ts';
import { createHostVolume, type HostVolume } from '../support/host-volume.ts';
import { readShipped } from '../support/incident-stage.ts';
import { adminCluster, apply, createTestNamespace, sampleContainer, type TestNamespace } from '../support/namespace.ts';
import type { ReceivedRequest } from '../support/receivers/request-log.ts';
import { startWorker, type WorkerProcess } from '../support/worker.ts';

// The shipped file of the agent lab on the sandbox, in a namespace of its own. Its application is the sample, whose programs
// are other ones than the lab's.
const SYSTEM = 'agent-lab';
const taskQueue = `acc-lab-${randomBytes(3).toString('hex')}`;
const ENVIRONMENT = taskQueue;
const LAB: App = { deployment: SYSTEM, container: SYSTEM };
const PAGE: App = { deployment: 'maintenance-page', container: 'maintenance-page' };
const HOUR = 3_600_000;
const DAY_S = 86_400;
const { weekly } = readShipped(SYSTEM)['windows'] as { weekly: Record<string, unknown> };

/** Not one that a catalog takes for a system. */
const OVERLAY = 'overlay.yml.test';

let systems: string;
let namespace: TestNamespace;
let data: HostVolume;
let site: { server: Server; port: number };
let worker: WorkerProcess;
let client: Client;

beforeAll(async () => {
  await ensureCli();
  const { temporal, receivers } = readEndpoints();
  const connection = await Connection.connect({ address: temporal.address });
  client = new Client({ connection, namespace: temporal.namespace });
  namespace = await createTestNamespace();
  data = await createHostVolume(namespace, 'agent-lab-data');
  site = await serveCertificate(makeCertificate({ names: 'IP:127.0.0.1', days: 9 }));
  await Promise.all([deployReadyApp(namespace, LAB), deployPage()]);
  systems = mkdtempSync(join(tmpdir(), 'windlass-systems-'));
  copyFileSync(join(import.meta.dirname, `../../systems/${SYSTEM}.yaml`), join(systems, `${SYSTEM}.yaml`));
  writeFileSync(join(systems, OVERLAY), stringify(overlayOf()));
  worker = await startWorker({
    taskQueue,
    systems,
    overlays: [overlayOf()],
    env: { AGENT_LAB_SLACK_WEBHOOK_URL: `${receivers.url}/slack/${ENVIRONMENT}`, AGENT_LAB_SMTP: receivers.smtp },
  });
}, 180_000);

afterAll(async () => {
  for await (const { scheduleId } of client.schedule.list())
    if (scheduleId.includes(ENVIRONMENT)) await client.schedule.getHandle(scheduleId).delete();
  await endMatching(client, `TaskQueue = "${taskQueue}" AND ExecutionStatus = "Running"`, 'the test is over');
  await worker?.stop();
  await client?.connection.close();
  site?.server.close();
  await namespace?.remove();
  await data?.remove();
  rmSync(systems, { recursive: true });
}, 90_000);

function overlayOf() {
  const { kubernetes, prometheus } = readEndpoints();
  const environments = [ENVIRONMENT];
  const image = { default: sample('v1') };
  const writes = (file: string) => ({
    image,
    program: { default: 'node' },
    script: { default: `--eval=require('node:fs').writeFileSync('/data/${file}', 'done')` },
  });
  const times = { duration: '12s', cutoff: '1s', escalateAfter: '5s' };
  return {
    overlayOf: SYSTEM,
    environments: {
      ...{ staging: null, production: null },
      [ENVIRONMENT]: {
        ...{ cluster: { context: kubernetes.context }, namespace: namespace.name, prometheus: prometheus.url },
        production: true,
      },
    },
    channels: { sre: { to: [`${ENVIRONMENT}@example.com`] } },
    runbooks: {
      'verify-backup': { parameters: writes('verified') },
      'maintain-data': { parameters: writes('maintained') },
      'rotate-logs': { parameters: { image } },
      'certificate-is-valid': { parameters: { host: { default: '127.0.0.1' }, port: { default: site.port } } },
      late: { description: 'Takes its time', changes: ['service'], steps: [{ wait: '30s' }] },
    },
    windows: {
      weekly: { environments },
      late: { ...weekly, ...times, environments, before: [], tasks: [{ runbook: 'late' }], after: [] },
    },
  };
}

async function deployPage(): Promise<void> {
  const labels = { app: PAGE.container };
  await apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: PAGE.deployment, namespace: namespace.name, labels },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [sampleContainer('v9')] } },
    },
  });
  await rolledOut(namespace, PAGE);
}

const cli = (...args: string[]): Promise<CliAnswer> => cliOf(taskQueue)('sre-on-call', ...args);

async function open(window: string): Promise<RunningProcedure> {
  const { code, json } = await cli('window', 'start', SYSTEM, ENVIRONMENT, window, '--now');
  if (code !== 0) throw new Error(`the window did not start: ${JSON.stringify(json)}`);
  return follow(client.workflow.getHandle(json['id'] as string, json['runId'] as string));
}

/** What people were told in Slack, oldest first. */
async function told(): Promise<string[]> {
  const all = (await (await fetch(`${readEndpoints().receivers.url}/requests`)).json()) as ReceivedRequest[];
  return all.filter(({ path }) => path.endsWith(`/slack/${ENVIRONMENT}`)).map(({ body }) => JSON.stringify(body));
}

/** Deployments whose pods get the traffic of the lab's Service. */
async function reached(): Promise<string> {
  const slices = await adminCluster().list('EndpointSlice', namespace.name, {
    labelSelector: `kubernetes.io/service-name=${LAB.container}`,
  });
  const ready = slices.flatMap(({ endpoints = [] }) => endpoints.filter(({ conditions }) => conditions?.ready));
  return [...new Set(ready.map(({ targetRef }) => targetRef!.name!.replace(/-[a-z0-9]+-[a-z0-9]+$/, '')))].join();
}
const pods = async (): Promise<string> =>
  (await adminCluster().list('Pod', namespace.name, { labelSelector: `app=${LAB.container}` }))
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .map(({ metadata }) => metadata.uid)
    .join();

const seconds = (at: number) => ({ seconds: at / 1000 }) as never;

/** By the server's own word; also on both Sundays on which the clocks of New York change, and in time for the notice. */
async function expectOneFiringOnEachSunday(): Promise<void> {
  // As the file has it, for this environment: what the CLI applies.
  const { json } = await cli('schedules', 'apply', '--catalog', systems, '--overlay', join(systems, OVERLAY));
  expect(json['schedules'].map(({ id }: { id: string }) => id)).toContain(`window/${SYSTEM}/${ENVIRONMENT}/weekly`);
  const spec = maintenance.parse({ ...weekly, environments: [ENVIRONMENT] });
  for (const [sunday, opens] of [
    ['2027-03-07', '2027-03-07T07:00:00Z'],
    // 02:00 does not exist: it is 03:00 of daylight time.
    ['2027-03-14', '2027-03-14T07:00:00Z'],
    ['2027-11-07', '2027-11-07T07:00:00Z'],
    ['2027-11-14', '2027-11-14T07:00:00Z'],
  ]) {
    const noon = Date.parse(`${sunday}T12:00:00Z`);
    const { startTime } = await client.workflowService.listScheduleMatchingTimes({
      namespace: client.options.namespace,
      scheduleId: `window/${SYSTEM}/${ENVIRONMENT}/weekly`,
      startTime: seconds(noon - 36 * HOUR),
      endTime: seconds(noon + 36 * HOUR),
    });
    expect(startTime).toHaveLength(1);
    const [opening, ...others] = openingsWithin(spec, noon - 36 * HOUR, 3);
    expect([opening!.date, new Date(opening!.opensAt).toISOString(), others]).toEqual([
      ...[sunday, new Date(opens!).toISOString(), []],
    ]);
    expect(opening!.opensAt - Number(startTime[0]!.seconds) * 1000).toBeGreaterThanOrEqual(spec.notice);
  }
}

test('L-07.1 fires once on each Sunday; it tells people, tests the backup, shows the page while it works, and the lab again within ten minutes; a certificate that ends soon is told', async () => {
  await expectOneFiringOnEachSunday();
  writeLogs();
  const before = await pods();
  const running = await open('weekly');
  const shown = waitFor('the page', async () => (await reached()) === PAGE.deployment, { timeoutSeconds: 120 });
  const ending = running.ending();
  // One that ends before the page is shown says why.
  await Promise.race([shown, ending.then(tasksOf)]);
  expect(existsSync(join(data.folder, 'verified'))).toBe(true);
  expect(await pods()).toBe(before);

  const ended = await ending;
  expect(tasksOf(ended)).toEqual([
    ...['before app-answers', 'before verify-backup'],
    ...['tasks rotate-logs', 'tasks maintain-data', 'tasks apply-patches'],
    ...['after app-answers', 'after certificate-is-valid'],
  ]);
  expect(await reached()).toBe(LAB.deployment);
  expect(await pods()).not.toBe(before);
  const { overrunMs, interruptionMs } = reportOf(ended);
  expect(overrunMs).toBe(0);
  expect(interruptionMs).toBeGreaterThan(0);
  expect(interruptionMs).toBeLessThanOrEqual(10 * 60_000);
  expect(readdirSync(join(data.folder, 'logs')).sort()).toEqual([...['new.log', `yesterdays.log.${dayBefore(2)}.gz`]]);
  expect(existsSync(join(data.folder, 'maintained'))).toBe(true);

  const notices = await told();
  expect(notices[0]).toContain(`Maintenance of agent-lab in agent-lab ${ENVIRONMENT}`);
  expect(notices.filter((text) => text.includes('Certificate check'))).toEqual([
    expect.stringMatching(/certificate of 127.0.0.1:\d+ ends on .*, in 8 days: renew it/),
  ]);
}, 240_000);

test('L-07.2 changes nothing while the application does not answer well before', async () => {
  await setImage(namespace, LAB, sample('v9'));
  await rolledOut(namespace, LAB);
  const before = await pods();
  const running = await open('weekly');
  expect(await running.ending()).toMatchObject({
    ok: false,
    type: 'ChecksFailed',
    message: expect.stringContaining('before: runbook app-answers failed'),
  });
  expect([await pods(), await reached()]).toEqual([before, LAB.deployment]);
  expect((await told()).filter((text) => text.includes('app-answers failed'))).toHaveLength(1);
  await setImage(namespace, LAB, sample('v1'));
  await rolledOut(namespace, LAB);
}, 240_000);

test('L-07.3 tells people when its time is over and it still works, and again, louder, when that lasts', async () => {
  const running = await open('late');
  const ended = await running.ending();
  expect(tasksOf(ended)).toEqual(['tasks late']);
  expect(reportOf(ended).overrunMs).toBeGreaterThan(5_000);
  const notices = (await told()).filter((text) => /is over by/.test(text));
  expect(notices.map((text) => text.includes('Escalation'))).toEqual([false, true]);
  expect(await reached()).toBe(LAB.deployment);
}, 120_000);

function reportOf(ended: Ending): WindowReport {
  if (!ended.ok) throw new Error(`${ended.type}: ${ended.message}`);
  return ended.result['report'] as WindowReport;
}

function tasksOf(ended: Ending): string[] {
  const { tasks } = reportOf(ended);
  expect(tasks.filter(({ outcome }) => outcome !== 'done')).toEqual([]);
  return tasks.map(({ part, runbook }) => `${part} ${runbook}`);
}

const dayBefore = (days: number): string => new Date(Date.now() - days * DAY_S * 1000).toISOString().slice(0, 10);

/** One of now, one of two days ago, and one that was compressed long ago. */
function writeLogs(): void {
  const folder = join(data.folder, 'logs');
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  for (const [name, days] of [
    ['new.log', 0],
    ['yesterdays.log', 2],
    ['old.log.2026-01-01.gz', 40],
  ] as const) {
    writeFileSync(join(folder, name), name);
    utimesSync(join(folder, name), Date.now() / 1000 - days * DAY_S, Date.now() / 1000 - days * DAY_S);
  }
}
