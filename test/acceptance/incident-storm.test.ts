import { readFileSync } from 'node:fs';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { openIncidentStage, type IncidentStage, type Rule } from '../support/incident-stage.ts';
import { valueOf } from '../support/prometheus-value.ts';

// A thousand alerts of one cause, as Prometheus makes them and Alertmanager sends them.
const ALERTS = 1000;
let stage: IncidentStage;

beforeAll(async () => {
  stage = await openIncidentStage({
    subject: 'storm',
    system: 'sandbox',
    overlay: () => ({
      databases: null,
      runbooks: {
        'tidy-database': null,
        glance: { description: 'What happened lately', steps: [{ action: 'listEvents', with: { limit: 5 } }] },
      },
      incidents: { alerts: [{ alert: 'ReplicaLost', service: 'shop', diagnose: 'glance' }] },
    }),
    env: ({ environment, receivers }) => ({ WINDLASS_SLACK_URL: `${receivers}/slack/${environment}` }),
  });
}, 120_000);
afterAll(() => stage?.close(), 60_000);

/** The cause is one: nothing of the shop runs in the namespace. Each replica is missed by an alert of its own. */
const lost = (replica: number): Rule => ({
  alert: 'ReplicaLost',
  expr: `absent(up{namespace="${stage.namespace.name}"})`,
  labels: { service: 'shop', severity: 'critical', replica: String(replica) },
  annotations: { summary: 'A replica of the shop is gone' },
});

/** What people were told, without the names of the run. */
async function notices(): Promise<string[]> {
  const requests = await stage.received(`/slack/${stage.environment}`);
  return requests.map(({ body }) =>
    (body as { text: string }).text.split('\n')[0]!.replaceAll(stage.environment, 'ENV'),
  );
}

test('a thousand alerts of one cause are one incident with one set of notices, which is over when they end', async () => {
  await stage.rules([{ name: 'storm', rules: Array.from({ length: ALERTS }, (_, replica) => lost(replica)) }]);
  const incident = await stage.incident('shop');
  await incident.until('every alert in it', ({ lines }) => lines.includes(`${ALERTS} alerts, ${ALERTS} firing`));
  expect(await valueOf(`count(ALERTS{environment="${stage.environment}",alertstate="firing"})`)).toBe(ALERTS);

  await stage.calm();
  expect(await incident.ending()).toMatchObject({ ok: true, result: { outcome: 'resolved', alerts: ALERTS } });
  expect(await incident.failedWorkflowTasks()).toBe(0);
  const { events } = await incident.handle.fetchHistory();
  expect((events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes).length).toBeLessThan(100);

  const over = async () => (await notices()).some((text) => text.includes(' is over after '));
  await waitFor('the notice of its end', over, { timeoutSeconds: 30 });
  const title = 'P2 ReplicaLost: A replica of the shop is gone (sandbox ENV)';
  // The order of what the runbook says and what the incident says is not fixed.
  expect((await notices()).sort()).toEqual([
    `${title} is being looked at.`,
    expect.stringMatching(/ is over after \d+ s\.$/),
    `${title}: primary, please acknowledge: windlass ack ${incident.id.replace(stage.environment, 'ENV')}`,
    'Runbook glance is done, asked by incident.',
  ]);
  const { count } = await stage.client.workflow.count(`WorkflowId = '${incident.id}'`);
  expect(count).toBe(1);
  expect(readFileSync(stage.worker.logFile, 'utf8')).not.toContain('alerts were not taken');
}, 120_000);
