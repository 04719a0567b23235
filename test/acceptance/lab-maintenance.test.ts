import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'node:tls';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { openingsWithin } from '../../src/calendar/openings.ts';
import type { WindowReport } from '../../src/contracts/maintenance-window.ts';
import { maintenance } from '../../src/contracts/window.ts';
import type { Ending } from '../support/acceptance-procedure.ts';
import { deployReadyApp, rolledOut, sample, setImage, type App } from '../support/agent.ts';
import { makeCertificate, serveCertificate } from '../support/certificates.ts';
import { createHostVolume, type HostVolume } from '../support/host-volume.ts';
import { readShipped } from '../support/incident-stage.ts';
import type { ReceivedRequest } from '../support/receivers/request-log.ts';
import { deployPage, openWindowStage, PAGE, type WindowStage } from '../support/window-stage.ts';

// The shipped file of the agent lab on the sandbox, in a namespace of its own. Its application is the sample, whose programs
// are other ones than the lab's.
const SYSTEM = 'agent-lab';
const ENVIRONMENT = `acc-lab-${randomBytes(3).toString('hex')}`;
const LAB: App = { deployment: SYSTEM, container: SYSTEM };
const HOUR = 3_600_000;
const DAY_S = 86_400;
const { weekly } = readShipped(SYSTEM)['windows'] as { weekly: Record<string, unknown> };

let data: HostVolume;
let site: { server: Server; port: number };
let stage: WindowStage;

beforeAll(async () => {
  const { receivers } = readEndpoints();
  site = await serveCertificate(makeCertificate({ names: 'IP:127.0.0.1', days: 9 }));
  stage = await openWindowStage({
    ...{ system: SYSTEM, environment: ENVIRONMENT, as: 'sre-on-call', service: LAB.container, overlay },
    prepare: async (namespace) => {
      data = await createHostVolume(namespace, 'agent-lab-data');
      await Promise.all([deployReadyApp(namespace, LAB), deployPage(namespace)]);
    },
    env: { AGENT_LAB_SLACK_WEBHOOK_URL: `${receivers.url}/slack/${ENVIRONMENT}`, AGENT_LAB_SMTP: receivers.smtp },
  });
}, 180_000);

afterAll(async () => {
  await stage?.close();
  site?.server.close();
  await data?.remove();
}, 90_000);

function overlay() {
  const environments = [ENVIRONMENT];
  const image = { default: sample('v1') };
  const writes = (file: string) => ({
    image,
    program: { default: 'node' },
    script: { default: `--eval=require('node:fs').writeFileSync('/data/${file}', 'done')` },
  });
  const times = { duration: '12s', cutoff: '1s', escalateAfter: '5s' };
  return {
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

/** What people were told in Slack, oldest first. */
async function told(): Promise<string[]> {
  const all = (await (await fetch(`${readEndpoints().receivers.url}/requests`)).json()) as ReceivedRequest[];
  return all.filter(({ path }) => path.endsWith(`/slack/${ENVIRONMENT}`)).map(({ body }) => JSON.stringify(body));
}

const seconds = (at: number) => ({ seconds: at / 1000 }) as never;

/** By the server's own word; also on both Sundays on which the clocks of New York change, and in time for the notice. */
async function expectOneFiringOnEachSunday(): Promise<void> {
  // As the file has it, for this environment: what the CLI applies.
  const { json } = await stage.applySchedules();
  expect(json['schedules'].map(({ id }: { id: string }) => id)).toContain(stage.scheduleOf('weekly').scheduleId);
  const spec = maintenance.parse({ ...weekly, environments: [ENVIRONMENT] });
  for (const [sunday, opens] of [
    ['2027-03-07', '2027-03-07T07:00:00Z'],
    // 02:00 does not exist: it is 03:00 of daylight time.
    ['2027-03-14', '2027-03-14T07:00:00Z'],
    ['2027-11-07', '2027-11-07T07:00:00Z'],
    ['2027-11-14', '2027-11-14T07:00:00Z'],
  ]) {
    const noon = Date.parse(`${sunday}T12:00:00Z`);
    const { startTime } = await stage.client.workflowService.listScheduleMatchingTimes({
      namespace: stage.client.options.namespace,
      scheduleId: stage.scheduleOf('weekly').scheduleId,
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
  const before = await stage.pods();
  const running = await stage.open('weekly');
  const shown = stage.untilReached(PAGE.deployment);
  const ending = running.ending();
  // One that ends before the page is shown says why.
  await Promise.race([shown, ending.then(tasksOf)]);
  expect(existsSync(join(data.folder, 'verified'))).toBe(true);
  expect(await stage.pods()).toBe(before);

  const ended = await ending;
  expect(tasksOf(ended)).toEqual([
    ...['before app-answers', 'before verify-backup'],
    ...['tasks rotate-logs', 'tasks maintain-data', 'tasks apply-patches'],
    ...['after app-answers', 'after certificate-is-valid'],
  ]);
  expect(await stage.reached()).toEqual([LAB.deployment]);
  expect(await stage.pods()).not.toBe(before);
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
  await setImage(stage.namespace, LAB, sample('v9'));
  await rolledOut(stage.namespace, LAB);
  const before = await stage.pods();
  const running = await stage.open('weekly');
  expect(await running.ending()).toMatchObject({
    ok: false,
    type: 'ChecksFailed',
    message: expect.stringContaining('before: runbook app-answers failed'),
  });
  expect([await stage.pods(), await stage.reached()]).toEqual([before, [LAB.deployment]]);
  expect((await told()).filter((text) => text.includes('app-answers failed'))).toHaveLength(1);
  await setImage(stage.namespace, LAB, sample('v1'));
  await rolledOut(stage.namespace, LAB);
}, 240_000);

test('L-07.3 tells people when its time is over and it still works, and again, louder, when that lasts', async () => {
  const running = await stage.open('late');
  const ended = await running.ending();
  expect(tasksOf(ended)).toEqual(['tasks late']);
  expect(reportOf(ended).overrunMs).toBeGreaterThan(5_000);
  const notices = (await told()).filter((text) => /is over by/.test(text));
  expect(notices.map((text) => text.includes('Escalation'))).toEqual([false, true]);
  expect(await stage.reached()).toEqual([LAB.deployment]);
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
