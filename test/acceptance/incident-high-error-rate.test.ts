import type { Load } from '../../scripts/load/load-generator.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import type { RunningProcedure } from '../support/acceptance-procedure.ts';
import { AGENT, deployReadyApp, sendTraffic, setFaults, writeFaults } from '../support/agent.ts';
import { openIncidentStage, outputsOf, type IncidentStage } from '../support/incident-stage.ts';
import { adminCluster, apply, kubectl, sampleContainer } from '../support/namespace.ts';
import { aiAgentsOnSandbox, aiAgentsSecrets } from '../support/overlays/ai-agents-on-sandbox.ts';
import { valueOf } from '../support/prometheus-value.ts';

// Errors of an agent by each of their causes. The sample application has no model API: what it says of a cause is a note in
// its faults, which it logs when it starts; its errors, its load and what Prometheus measures are real.
let stage: IncidentStage;
let traffic: Load;

beforeAll(async () => {
  stage = await openIncidentStage({
    subject: 'errors',
    system: 'ai-agents-platform',
    overlay: aiAgentsOnSandbox,
    env: aiAgentsSecrets,
  });
  await deployReadyApp(stage.namespace, AGENT);
  traffic = await sendTraffic(stage.namespace, AGENT, 10);
}, 180_000);
afterAll(async () => {
  await traffic?.stop();
  await stage?.close();
}, 60_000);
afterEach(() => stage.calm(), 90_000);

/** Under the names of the platform's metrics, what the sample application measures; and the alert of its runbook. */
async function watch(): Promise<void> {
  const mine = `namespace="${stage.namespace.name}"`;
  const as = (record: string, expr: string) => ({ record, expr });
  const share = `100 * sum(rate(agent_errors_total{${mine}}[15s])) / sum(rate(agent_processing_seconds_count{${mine}}[15s]))`;
  const labels = { service: AGENT.container };
  await stage.rules([
    {
      name: 'errors',
      rules: [
        as('agent_errors_total', `http_requests_total{${mine},status=~"5.."}`),
        as('agent_processing_seconds_count', `http_request_duration_seconds_count{${mine}}`),
        { alert: 'HighErrorRate', expr: `${share} > 5`, for: '3s', labels },
      ],
    },
  ]);
}

/** Fails every request from now on, and says why in its log. */
async function failFor(note: string): Promise<void> {
  await setFaults(stage.namespace, AGENT, { v1: { errorsUnderLoad: { aboveRps: 0, rate: 1 }, note } });
  await watch();
}
const repaired = (): Promise<void> => setFaults(stage.namespace, AGENT, {});
const replicas = async (): Promise<number | undefined> =>
  (await adminCluster().read('Deployment', stage.namespace.name, AGENT.deployment)).spec.replicas;
const untilReplicas = (count: number): Promise<unknown> =>
  waitFor(`${count} replicas`, async () => (await replicas()) === count, { timeoutSeconds: 60 });

async function gateOf(remedy: RunningProcedure) {
  const [gate] = await remedy.untilGatesOpen();
  return gate!;
}
/** All requests fail, which is more than the tenth that makes it P1. */
const isOver = async (incident: RunningProcedure): Promise<void> =>
  void expect(await incident.ending()).toMatchObject({ ok: true, result: { outcome: 'resolved', severity: 'P1' } });

test('P-03.1 scales to one while the model API limits requests, and back when errors are under 1 %', async () => {
  await kubectl('-n', stage.namespace.name, 'scale', `deployment/${AGENT.deployment}`, '--replicas=2');
  await failFor('rate_limit');
  const incident = await stage.incident(AGENT.container);
  const remedy = await stage.runbook(incident, 'remedy');
  await untilReplicas(1);
  await repaired();
  const found = await outputsOf(remedy);
  expect([found['limits'].matches > 0, found['keys'].matches, found['database'].matches]).toEqual([true, 0, 0]);
  expect(found['errors'].value).toBeGreaterThan(5);
  await untilReplicas(2);
  await isOver(incident);
  expect(await valueOf(`sum(rate(http_requests_total{namespace="${stage.namespace.name}",status=~"5.."}[10s]))`)).toBe(
    0,
  );
}, 240_000);

test('P-03.2 restarts the agent only when somebody who may says that the refused key was rotated', async () => {
  await failFor('authentication_error');
  const incident = await stage.incident(AGENT.container);
  const remedy = await stage.runbook(incident, 'remedy');
  const gate = await gateOf(remedy);
  expect(gate.name).toBe('key-rotated');
  await writeFaults(stage.namespace, AGENT, {});
  expect(await remedy.decide({ gate: gate.name, by: 'security@company.com' })).toMatchObject({ code: 'wrong-role' });
  expect(await valueOf(`sum(rate(http_requests_total{namespace="${stage.namespace.name}",status=~"5.."}[10s]))`)).toBeGreaterThan(0); // prettier-ignore
  // Nothing else restarts it, and its errors end with the pods that had the old key.
  expect(await remedy.decide({ gate: gate.name, by: 'devops-on-call' })).toMatchObject({ code: 'recorded' });
  await isOver(incident);
}, 240_000);

test('P-03.3 restarts the database behind an approval when the logs say that it does not answer', async () => {
  const labels = { app: 'postgres' };
  const { name: namespace } = stage.namespace;
  await apply({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'postgres', namespace },
    spec: {
      serviceName: 'postgres',
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [sampleContainer('v1')] } },
    },
  });
  await kubectl('-n', namespace, 'rollout', 'status', 'statefulset/postgres', '--timeout=60s');
  const uid = () => kubectl('-n', namespace, 'get', 'pod', 'postgres-0', '-o', 'jsonpath={.metadata.uid}');
  const before = await uid();
  await failFor('could not connect to server');
  const incident = await stage.incident(AGENT.container);
  const remedy = await stage.runbook(incident, 'remedy');
  const gate = await gateOf(remedy);
  expect(gate.name).toBe('restart-database');
  expect(await remedy.decide({ gate: gate.name, by: 'devops-on-call' })).toMatchObject({ code: 'wrong-role' });
  expect(await uid()).toBe(before);
  expect(await remedy.decide({ gate: gate.name, by: 'platform-lead' })).toMatchObject({ code: 'recorded' });
  await waitFor('another pod of the database', async () => (await uid()) !== before, { timeoutSeconds: 60 });
  await repaired();
  await isOver(incident);
}, 240_000);
