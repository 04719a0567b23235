import { waitFor } from '../../scripts/sandbox/wait.ts';
import { agentOf, deployReadyApp, sample, sendTraffic, setFaults, setImage } from '../support/agent.ts';
import { untilAppDown } from '../support/down.ts';
import { openIncidentStage, readShipped, type IncidentStage, type Rule } from '../support/incident-stage.ts';
import { aiAgentsOnSandbox, aiAgentsSecrets } from '../support/overlays/ai-agents-on-sandbox.ts';
import { valueOf } from '../support/prometheus-value.ts';

// Severity by the rules of the platform's own file, over what Prometheus measures of agents that are really down.
type Fact = { label: string; text: string };
const AGENTS = ['agent', 'scout', 'writer', 'critic'];
let stage: IncidentStage;

beforeAll(async () => {
  stage = await openIncidentStage({
    subject: 'severity',
    system: 'ai-agents-platform',
    intake: 'none',
    overlay: (place) => ({
      ...aiAgentsOnSandbox(place),
      incidents: { holidays: [nextWeekday(1)], facts: hastyFacts() },
    }),
    env: aiAgentsSecrets,
  });
  await Promise.all(AGENTS.map((agent) => deployReadyApp(stage.namespace, agentOf(agent))));
  await untilDown(0);
}, 240_000);
afterAll(() => stage?.close(), 60_000);

const DAY_MS = 86_400_000;
/** Date of the nth Monday-to-Friday after today, in UTC. */
function nextWeekday(nth: number): string {
  for (let at = Date.now() + DAY_MS; ; at += DAY_MS) {
    const day = new Date(at);
    if (day.getUTCDay() % 6 !== 0 && --nth === 0) return day.toISOString().slice(0, 10);
  }
}

const selector = (): string => `up{namespace="${stage.namespace.name}"}`;
async function untilDown(count: number): Promise<void> {
  await waitFor(
    `${count} of ${AGENTS.length} agents down`,
    async () =>
      (await valueOf(`count(max by (app) (${selector()})) or vector(0)`)) === AGENTS.length &&
      (await valueOf(`count(max by (app) (${selector()}) == 0) or vector(0)`)) === count,
    { timeoutSeconds: 90 },
  );
}

async function breakAgent(agent: string): Promise<void> {
  await setImage(stage.namespace, agentOf(agent), sample('v6'));
  await untilAppDown(stage.namespace, agentOf(agent));
}

/** What `windlass plan incident` says: severity, and who would be told when. */
async function planned(): Promise<Fact[]> {
  const { code, json } = await stage.cli('devops-on-call', 'plan', 'incident', 'ai-agents-platform', stage.environment);
  if (code !== 0) throw new Error(JSON.stringify(json));
  return json['plan'].facts as Fact[];
}
const untilSeverity = (text: RegExp): Promise<unknown> => {
  return waitFor(
    `severity ${String(text)}`,
    async () => {
      const last = await severity();
      if (text.test(last)) return true;
      throw new Error(last);
    },
    { timeoutSeconds: 60, everyMs: 1000 },
  );
};

/** Under the names of the platform's metrics, what the sample application measures. */
function measured(): Rule[] {
  const of = (metric: string, where = ''): string => `${metric}{namespace="${stage.namespace.name}"${where}}`;
  return [
    { record: 'agent_errors_total', expr: of('http_requests_total', ',status=~"5.."') },
    { record: 'agent_processing_seconds_count', expr: of('http_request_duration_seconds_count') },
    { record: 'agent_processing_seconds_sum', expr: of('http_request_duration_seconds_sum') },
  ];
}

/** Instead of the last five minutes, and of the day before them. */
const LATELY = '[15s]';
const BEFORE = '[30s] offset 15s';

/** The platform's facts over the last seconds, and what was before over the half minute before them. */
function hastyFacts() {
  const { facts } = (readShipped('ai-agents-platform') as { incidents: { facts: { query: string }[] } }).incidents;
  return facts.map((fact) => ({
    ...fact,
    query: fact.query.replaceAll('[1d] offset 5m', BEFORE).replaceAll('[5m]', LATELY),
  }));
}
const severity = async (): Promise<string> => (await planned()).find(({ label }) => label === 'severity')!.text;
/** Milliseconds from the first level of the chain to each other one. */
async function times(): Promise<number[]> {
  const told = (await planned()).filter(({ label }) => label.startsWith('told '));
  const [first, ...others] = told.map(({ text }) => Date.parse(/ at (\S+?)(,|$)/.exec(text)![1]!));
  return others.map((at) => at - first!);
}
const MINUTE = 60_000;
const USUAL_MS = 40;

/** Opens an incident as a person does, and ends it when the first of the chain was called. @returns its severity */
async function opened(): Promise<unknown> {
  const calls = async () =>
    JSON.stringify(await stage.received(`/pagerduty/${stage.environment}/`)).split('devops, please acknowledge').length;
  const before = await calls();
  const { code, json } = await stage.cli('devops-on-call', 'incident', 'open', 'ai-agents-platform', stage.environment, '--title', 'Users complain'); // prettier-ignore
  if (code !== 0) throw new Error(JSON.stringify(json));
  const incident = await stage.incident();
  await waitFor('a call', async () => (await calls()) > before, { timeoutSeconds: 30 });
  await stage.cli('devops-on-call', 'incident', 'resolve', incident.id, '--reason', 'a test');
  const ending = await incident.ending();
  return ending.ok ? ending.result['severity'] : ending.message;
}

test('P-01.1 is P3 while all agents answer: the next is told at the end of the next business day, no weekend and no holiday', async () => {
  expect(await severity()).toBe('P3: no condition of a worse severity holds');
  const [, second] = (await planned()).filter(({ label }) => label.startsWith('told '));
  // The first weekday after today is a holiday of this test's catalog.
  expect(second!.text).toContain(`platform-engineering (on-call-secondary) at ${nextWeekday(2)}T17:00:00.000Z`);
  expect(await opened()).toBe('P3');
}, 90_000);

test('P-01.2 is P2, P1 and P0 as one, two and three of four agents are down, with 1 h, 15 min and 5 min to respond', async () => {
  await breakAgent('scout');
  await untilDown(1);
  expect(await severity()).toBe('P2: agents-down is 25, over 0');
  expect((await times())[0]).toBe(60 * MINUTE);
  await breakAgent('writer');
  await untilDown(2);
  expect(await severity()).toBe('P1: agents-down is 50, over 25');
  expect((await times())[0]).toBe(15 * MINUTE);
  await breakAgent('critic');
  await untilDown(3);
  expect(await severity()).toBe('P0: agents-down is 75, over 50');
  expect((await times())[0]).toBe(5 * MINUTE);
}, 240_000);

test('P-01.3 is P1 when more than a tenth of the work fails, and when it takes more than five times as long as before', async () => {
  await Promise.all(AGENTS.map((each) => setImage(stage.namespace, agentOf(each), sample('v1'))));
  await untilDown(0);
  const agent = agentOf('agent');
  // Longer than what a busy machine adds to it.
  const usual = { v1: { latencyMs: USUAL_MS } };
  await setFaults(stage.namespace, agent, usual);
  const traffic = await sendTraffic(stage.namespace, agent, 10);
  try {
    await stage.rules([{ name: 'agent', rules: measured() }]);
    // What is slow now can only be compared with what was measured before.
    const before = `sum(rate(agent_processing_seconds_count{namespace="${stage.namespace.name}"}${BEFORE})) > 0`;
    await waitFor('work of before', async () => (await valueOf(before)) > 0, { timeoutSeconds: 90 });
    expect(await severity()).toMatch(/^P3: /);
    await setFaults(stage.namespace, agent, { v1: { latencyMs: 20 * USUAL_MS } });
    await untilSeverity(/^P1: latency-factor is [\d.]+, over 5$/);
    await setFaults(stage.namespace, agent, usual);
    await untilSeverity(/^P3: /);
    await setFaults(stage.namespace, agent, {
      v1: { errorsUnderLoad: { aboveRps: 0, rate: 0.5 }, latencyMs: USUAL_MS },
    });
    await untilSeverity(/^P1: error-rate is [\d.]+, over 10$/);
    expect(await opened()).toBe('P1');
  } finally {
    await traffic.stop();
  }
}, 240_000);
