import { waitFor } from '../../scripts/sandbox/wait.ts';
import { agentOf, deployReadyApp, sample, setImage } from '../support/agent.ts';
import { openIncidentStage, type IncidentStage } from '../support/incident-stage.ts';
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
    takesAlerts: false,
    overlay: (place) => ({ ...aiAgentsOnSandbox(place), incidents: { holidays: [nextWeekday(1)] } }),
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

const breakAgent = (agent: string): Promise<unknown> => setImage(stage.namespace, agentOf(agent), sample('v6'));

/** What `windlass plan incident` says: severity, and who would be told when. */
async function planned(): Promise<Fact[]> {
  const { code, json } = await stage.cli('devops-on-call', 'plan', 'incident', 'ai-agents-platform', stage.environment);
  if (code !== 0) throw new Error(JSON.stringify(json));
  return json['plan'].facts as Fact[];
}
const severity = async (): Promise<string> => (await planned()).find(({ label }) => label === 'severity')!.text;
/** Milliseconds from the first level of the chain to each other one. */
async function times(): Promise<number[]> {
  const told = (await planned()).filter(({ label }) => label.startsWith('told '));
  const [first, ...others] = told.map(({ text }) => Date.parse(/ at (\S+?)(,|$)/.exec(text)![1]!));
  return others.map((at) => at - first!);
}
const MINUTE = 60_000;

test('P-01.1 is P3 while all agents answer: the next is told at the end of the next business day, no weekend and no holiday', async () => {
  expect(await severity()).toBe('P3: no condition of a worse severity holds');
  const [, second] = (await planned()).filter(({ label }) => label.startsWith('told '));
  // The first weekday after today is a holiday of this test's catalog.
  expect(second!.text).toContain(`platform-engineering (on-call-secondary) at ${nextWeekday(2)}T17:00:00.000Z`);
}, 60_000);

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
