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

/** A healthy agent, and no alert. */
beforeEach(async () => {
  const { namespace } = stage;
  await stage.calm();
  await kubectl('-n', namespace.name, 'delete', 'configmap', 'agent', '--ignore-not-found');
  await deployReadyApp(namespace, AGENT);
  const scraped = async () => (await valueOf(`max(up{namespace="${namespace.name}",app="agent"})`)) === 1;
  await waitFor('the agent to be scraped', scraped, { timeoutSeconds: 60 });
}, 150_000);

/**
 * Gives the agent an image that does not run.
 * @param failed a state of its container from which the cause is known: on a busy machine a pod is down long before
 * @returns the incident of the alert that no pod answers, which there is once the pod has failed so
 */
async function breakAgent(image: string, failed: RegExp): Promise<RunningProcedure> {
  const { name } = stage.namespace;
  await setImage(stage.namespace, AGENT, image);
  const states = '{.items[*].status.containerStatuses[*]..reason}';
  const seen = () => kubectl('-n', name, 'get', 'pods', '-l', 'app=agent', '-o', `jsonpath=${states}`);
  await waitFor(`a pod with ${failed}`, async () => failed.test(await seen()), { timeoutSeconds: 90 });
  const down = `absent(up{namespace="${name}",app="agent"} == 1)`;
  await stage.alertWhile('AgentDown', down, { labels: { service: 'agent' } });
  return stage.incident('agent');
}

const image = async (): Promise<string> => (await containerOf(stage.namespace, AGENT)).image;

/** How often its specification was changed. */
const generation = async (): Promise<number> =>
  Number(await kubectl('-n', stage.namespace.name, 'get', 'deployment', AGENT.deployment, '-o', 'jsonpath={.metadata.generation}')); // prettier-ignore

async function gateOf(runbook: RunningProcedure) {
  const [gate] = await runbook.untilGatesOpen();
  return gate!;
}

test('P-04.1 shows what a crash loop lacks, restarts when that was repaired, and keeps the log of the run before', async () => {
  const incident = await breakAgent(sample('v6'), /CrashLoopBackOff/);
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
  const incident = await breakAgent(sample('v7'), /OOMKilled/);
  const remedy = await outputsOf(await stage.runbook(incident, 'remedy'));
  expect(remedy['cause']).toMatchObject({ reasons: ['out-of-memory'] });
  expect(await incident.ending()).toMatchObject({ ok: true, result: { outcome: 'resolved' } });
  const { resources, image } = await containerOf(stage.namespace, AGENT);
  expect([resources!.limits!['memory'], image]).toEqual(['2Gi', sample('v7')]);
  await rolledOut(stage.namespace, AGENT);
}, 240_000);

test('P-04.3 goes back from an image that cannot be pulled only when that is approved; until then nothing changes', async () => {
  const bad = 'registry.invalid/agent:v2';
  const incident = await breakAgent(bad, /ErrImagePull|ImagePullBackOff/);
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
  const incident = await breakAgent(sample('v6'), /CrashLoopBackOff/);
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
