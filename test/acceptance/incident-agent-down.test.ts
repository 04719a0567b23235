import { waitFor } from '../../scripts/sandbox/wait.ts';
import type { RunningProcedure } from '../support/acceptance-procedure.ts';
import { AGENT, containerOf, deployReadyApp, rolledOut, sample, setImage, writeFaults } from '../support/agent.ts';
import { openIncidentStage, outputsOf, type IncidentStage } from '../support/incident-stage.ts';
import { kubectl } from '../support/namespace.ts';
import { valueOf } from '../support/prometheus-value.ts';
import { aiAgentsOnSandbox, aiAgentsSecrets } from '../support/overlays/ai-agents-on-sandbox.ts';

// The file of the platform on the sandbox: an agent fails for real, Prometheus sees it, Alertmanager tells.
let stage: IncidentStage;

beforeAll(async () => {
  const overlay = aiAgentsOnSandbox;
  stage = await openIncidentStage({ subject: 'agent', system: 'ai-agents-platform', overlay, env: aiAgentsSecrets });
}, 120_000);
afterAll(() => stage?.close(), 60_000);

/** A healthy agent, and the alert of its file's name when no pod of it answers. */
beforeEach(async () => {
  const { namespace } = stage;
  await stage.calm();
  await kubectl('-n', namespace.name, 'delete', 'configmap', 'agent', '--ignore-not-found');
  await deployReadyApp(namespace, AGENT);
  const scraped = async () => (await valueOf(`max(up{namespace="${namespace.name}",app="agent"})`)) === 1;
  await waitFor('the agent to be scraped', scraped, { timeoutSeconds: 60 });
  const down = `absent(up{namespace="${namespace.name}",app="agent"} == 1)`;
  // By then a pod that crashes has done so more than once.
  await stage.alertWhile('AgentDown', down, { for: '8s', labels: { service: 'agent' } });
}, 150_000);

const image = async (): Promise<string> => (await containerOf(stage.namespace, AGENT)).image;

/** How often its specification was changed. */
const generation = async (): Promise<number> =>
  Number(await kubectl('-n', stage.namespace.name, 'get', 'deployment', AGENT.deployment, '-o', 'jsonpath={.metadata.generation}')); // prettier-ignore

async function gateOf(runbook: RunningProcedure) {
  const [gate] = await runbook.untilGatesOpen();
  return gate!;
}

test('P-04.1 shows what a crash loop lacks, restarts when that was repaired, and keeps the log of the run before', async () => {
  await setImage(stage.namespace, AGENT, sample('v6'));
  const incident = await stage.incident('agent');
  const facts = await outputsOf(await stage.runbook(incident, 'diagnose'));
  expect(facts['pods']).toMatchObject({ ready: 0, reasons: ['crash-loop'] });
  expect(facts['revisions']).toMatchObject({ images: sample('v6'), formerImages: sample('v1') });
  expect(await stage.evidence(facts['formerLog'].uri as string)).toContain('crash fault: exiting with 1');

  const remedy = await stage.runbook(incident, 'remedy');
  const gate = await gateOf(remedy);
  expect([gate.name, gate.asks]).toEqual(['crash-repaired', expect.stringContaining('crash fault: exiting with 1')]);
  await writeFaults(stage.namespace, AGENT, { v6: {} });
  const before = await generation();
  expect(await remedy.decide({ gate: gate.name, by: 'security@company.com' })).toMatchObject({ code: 'wrong-role' });
  expect(await remedy.decide({ gate: gate.name, by: 'devops-on-call' })).toMatchObject({ code: 'recorded' });
  expect(await incident.ending()).toMatchObject({ ok: true, result: { outcome: 'resolved', severity: 'P0' } });
  expect([await image(), await generation()]).toEqual([sample('v6'), before + 1]);
  await rolledOut(stage.namespace, AGENT);
}, 240_000);

test('P-04.2 raises the memory limit of an agent that is killed for its memory, and it serves', async () => {
  await setImage(stage.namespace, AGENT, sample('v7'));
  const incident = await stage.incident('agent');
  const remedy = await outputsOf(await stage.runbook(incident, 'remedy'));
  expect(remedy['cause']).toMatchObject({ reasons: ['out-of-memory'] });
  expect(await incident.ending()).toMatchObject({ ok: true, result: { outcome: 'resolved' } });
  const { resources, image } = await containerOf(stage.namespace, AGENT);
  expect([resources!.limits!['memory'], image]).toEqual(['2Gi', sample('v7')]);
  await rolledOut(stage.namespace, AGENT);
}, 240_000);

test('P-04.3 goes back from an image that cannot be pulled only when that is approved; until then nothing changes', async () => {
  const bad = 'registry.invalid/agent:v2';
  await setImage(stage.namespace, AGENT, bad);
  const incident = await stage.incident('agent');
  const remedy = await stage.runbook(incident, 'remedy');
  const gate = await gateOf(remedy);
  expect(gate.asks).toMatch(new RegExp(`${bad}.* cannot be pulled.* revision \\d+ \\(${sample('v1')}\\)`));
  expect(await remedy.decide({ gate: gate.name, by: 'devops-on-call' })).toMatchObject({ code: 'wrong-role' });
  const before = await generation();
  expect(await image()).toBe(bad);
  expect(await remedy.decide({ gate: gate.name, by: 'platform-lead' })).toMatchObject({ code: 'recorded' });
  expect(await incident.ending()).toMatchObject({ ok: true, result: { outcome: 'resolved' } });
  expect(await image()).toBe(sample('v1'));
  expect(await generation()).toBe(before + 1);
  await rolledOut(stage.namespace, AGENT);
}, 240_000);

test('P-04.4 is over only when the agent passes its health checks, and the review names all that was done', async () => {
  await setImage(stage.namespace, AGENT, sample('v6'));
  const incident = await stage.incident('agent');
  await stage.acknowledge('devops-on-call', incident);
  const remedy = await stage.runbook(incident, 'remedy');
  const gate = await gateOf(remedy);
  // Its pods are ready and its check of Redis fails.
  await setImage(stage.namespace, AGENT, sample('v9'));
  await rolledOut(stage.namespace, AGENT);
  await remedy.decide({ gate: gate.name, by: 'devops-on-call' });
  const recovery = await stage.runbook(incident, 'recovery');
  // Its pods were found available, and now their health is looked at.
  const polls = async () =>
    ((await recovery.handle.fetchHistory()).events ?? []).filter(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'pollAction',
    );
  await waitFor('the health check', async () => (await polls()).length === 2, { timeoutSeconds: 60 });
  expect(await incident.progress()).toMatchObject({ phase: 'waiting' });

  await setImage(stage.namespace, AGENT, sample('v1'));
  const ending = await incident.ending();
  if (!ending.ok) throw new Error(`${ending.type}: ${ending.message}`);
  const review = await stage.evidence(ending.result['postMortem'].uri as string);
  expect(review).toMatch(/\*\*Acknowledged:\*\* \S+ by devops-on-call/);
  expect(review).toContain('AgentDown');
  for (const done of ['diagnose: agent-down-facts', 'remedy: agent-down', 'recovery: agent-is-well'])
    expect(review).toContain(`- ${done}: completed`);
  const told = (await stage.received(`/slack/${stage.environment}-incident`)).map(({ body }) => JSON.stringify(body));
  expect(told.filter((text) => text.includes('devops, please acknowledge'))).not.toEqual([]);
}, 240_000);
