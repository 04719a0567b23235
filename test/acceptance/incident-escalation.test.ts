import { waitFor } from '../../scripts/sandbox/wait.ts';
import type { RunningProcedure } from '../support/acceptance-procedure.ts';
import { API, deployReadyApp, rolledOut, sample, setImage } from '../support/agent.ts';
import { untilAppDown } from '../support/down.ts';
import { openIncidentStage, type IncidentStage } from '../support/incident-stage.ts';
import { agentHiveOnSandbox, agentHiveSecrets, onSandbox } from '../support/overlays/agent-hive-on-sandbox.ts';
import { valueOf } from '../support/prometheus-value.ts';

// The chain of the hive's own file, at shorter intervals: who was told, and when, is read at the receivers.
const INTERVAL_S = 6;
let stage: IncidentStage;

beforeAll(async () => {
  const times = { respondWithin: `${2 * INTERVAL_S}s`, escalateEvery: `${INTERVAL_S}s` };
  stage = await openIncidentStage({
    subject: 'escalation',
    system: 'agent-hive',
    intake: 'second',
    overlay: agentHiveOnSandbox({ times }),
    env: agentHiveSecrets,
  });
  await deployReadyApp(stage.namespace, API);
  const scraped = `up{namespace="${stage.namespace.name}",app="${API.container}"}`;
  await waitFor('up', async () => (await valueOf(scraped)) === 1, { timeoutSeconds: 90 });
}, 180_000);
afterAll(() => stage?.close(), 60_000);

const image = (tag: string): Promise<unknown> => setImage(stage.namespace, API, sample(tag));

async function open(): Promise<RunningProcedure> {
  const { code, json } = await stage.cli('senior-operations-engineer', 'incident', 'open', 'agent-hive', stage.environment, '--title', 'Customers see errors'); // prettier-ignore
  if (code !== 0) throw new Error(JSON.stringify(json));
  return stage.incident();
}
const resolve = (incident: RunningProcedure, reason: string) =>
  stage.cli('cto', 'incident', 'resolve', incident.id, '--reason', reason);

/** Levels of the chain that PagerDuty was told of for this incident, with the time in seconds since the first. */
async function called(): Promise<[level: string, seconds: number][]> {
  const requests = await stage.received(`/pagerduty/${stage.environment}/`);
  const calls = requests.flatMap(({ time, body }) => {
    const level = /: (\w+), please acknowledge/.exec(JSON.stringify(body))?.[1];
    return level ? [{ level, at: Date.parse(time) }] : [];
  });
  return calls.map(({ level, at }) => [level, (at - calls[0]!.at) / 1000]);
}

test('H-11.1 is Sev1 while the API is down, and calls primary, secondary, VP and CTO at the intervals of the catalog until it is over', async () => {
  await image('v6');
  await untilAppDown(stage.namespace, API);
  const incident = await open();
  await incident.until('Sev1', ({ lines }) => lines.some((line) => line.startsWith('Sev1: api-down is 100')));
  await waitFor('the CTO to be called', async () => (await called()).length === 4, { timeoutSeconds: 60 });
  const calls = await called();
  expect(calls.map(([level]) => level)).toEqual(['primary', 'secondary', 'vp', 'cto']);
  const late = calls.map(([, seconds], index) => seconds - (index === 0 ? 0 : (index + 1) * INTERVAL_S));
  // Never early; on a busy machine a message needs a while.
  expect(late.every((seconds) => seconds > -1 && seconds < INTERVAL_S)).toBe(true);
  expect((await resolve(incident, 'a test')).code).toBe(0);
  expect(await incident.ending()).toMatchObject({ ok: true, result: { severity: 'Sev1' } });
}, 180_000);

test('H-11.2 calls nobody else once somebody of the catalog takes care; a stranger cannot', async () => {
  const before = (await called()).length;
  const incident = await open();
  await waitFor('the first call', async () => (await called()).length === before + 1, { timeoutSeconds: 30 });
  expect((await stage.cli('mallory', 'ack', incident.id)).code).not.toBe(0);
  await waitFor('the second call', async () => (await called()).length === before + 2, { timeoutSeconds: 60 });
  expect((await stage.cli('operations-team-lead', 'ack', incident.id)).code).toBe(0);
  // Longer than two levels would have taken.
  await new Promise((resume) => setTimeout(resume, 3 * INTERVAL_S * 1000));
  expect((await called()).length).toBe(before + 2);
  await resolve(incident, 'a test');
  expect(await incident.ending()).toMatchObject({ ok: true });
}, 180_000);

test('H-11.3 keeps the computed severity beside the one that a person set, and shows the contacts outside by kind', async () => {
  const { json } = await stage.cli('cto', 'plan', 'incident', 'agent-hive', stage.environment);
  const facts = json['plan'].facts as { label: string; text: string }[];
  const contacts = facts.filter(({ label }) => ['cloud', 'security', 'compliance', 'legal'].includes(label));
  expect(contacts.map(({ label }) => label)).toEqual(['cloud', 'security', 'compliance', 'legal']);

  const incident = await open();
  await incident.until('its severity', ({ lines }) => lines.some((line) => line.startsWith('Sev1')));
  const set = (severity: string) =>
    stage.cli('vp-of-engineering', 'incident', 'severity', incident.id, severity, '--reason', 'no customer is hurt');
  expect((await set('Sev9')).code).not.toBe(0);
  expect((await set('Sev3')).code).toBe(0);
  await resolve(incident, 'a test');
  const ending = await incident.ending();
  if (!ending.ok) throw new Error(ending.message);
  expect(ending.result).toMatchObject({ severity: 'Sev3' });
  const review = await stage.evidence(ending.result['postMortem'].uri as string);
  expect(review).toMatch(/Severity:\*\* Sev3 \(by the rules Sev1: api-down is 100, over 99\)/);
  expect(review).toContain('Sev3 by vp-of-engineering: no customer is hurt');
}, 120_000);

test('S-25.1 keeps a review with every milestone, alert, runbook and person, as they were', async () => {
  const down = onSandbox('up{job="leanvibe-api"} == 0', stage.namespace.name);
  await stage.alertWhile('SystemDown', down, { labels: { severity: 'critical', service: API.container } });
  const incident = await stage.incident(API.container);
  await stage.acknowledge('operations-team-lead', incident);
  await stage.runbook(incident, 'diagnose').then((runbook) => runbook.ending());
  await image('v1');
  await rolledOut(stage.namespace, API);
  const ending = await incident.ending();
  if (!ending.ok) throw new Error(ending.message);
  const { milestones, mttaMs, mttrMs, postMortem } = ending.result;
  const review = await stage.evidence(postMortem.uri as string);
  for (const at of [milestones.startedAt, milestones.openedAt, milestones.acknowledgedAt, milestones.resolvedAt])
    expect(review).toContain(`:** ${at}`);
  expect(review).toMatch(/\*\*Acknowledged:\*\* \S+ by operations-team-lead/);
  expect([mttaMs > 0, mttrMs > mttaMs]).toEqual([true, true]);
  expect(review).toMatch(/- \S+Z SystemDown \([0-9a-f]{16}\)/);
  expect(review).toMatch(/- diagnose: api-facts: completed, \d steps done/);
  expect(review).toMatch(/- recovery: api-is-well: completed/);
  const timeline = review.split('## Timeline (UTC)')[1]!.split('##')[0]!;
  const [, told] = / (\S+)Z told primary: operations-team-lead/.exec(timeline) ?? [];
  expect(told).toBeDefined();
  const times = [...timeline.matchAll(/^- (\S+Z) /gm)].map(([, at]) => at!);
  expect(times).toEqual([...times].sort());
  expect(times.length).toBeGreaterThanOrEqual(8);
}, 240_000);
