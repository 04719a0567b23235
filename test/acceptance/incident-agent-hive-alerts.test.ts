import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { parse } from 'yaml';
import type { Load } from '../../scripts/load/load-generator.ts';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import type { RunningProcedure } from '../support/acceptance-procedure.ts';
import {
  API,
  containerOf,
  deployReadyApp,
  rolledOut,
  sample,
  sendTraffic,
  setImage,
  writeFaults,
} from '../support/agent.ts';
import { exportConnections, type ConnectionsExporter } from '../support/connections-exporter.ts';
import { openIncidentStage, outputsOf, type IncidentStage, type Rule } from '../support/incident-stage.ts';
import { agentHiveOnSandbox, agentHiveSecrets, onSandbox } from '../support/overlays/agent-hive-on-sandbox.ts';
import { valueOf } from '../support/prometheus-value.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

// The shipped rules in the real Prometheus: what makes an alert true is done to a real API and a real database.
const LIMIT = 10;
let stage: IncidentStage;
let database: TestDatabase;
let admin: pg.Client;
let user: string;
let exporter: ConnectionsExporter;
let traffic: Load;
const sessions: pg.Client[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  // Not to the database itself: its limit counts every session.
  admin = await database.connect({ database: 'postgres' });
  user = `${database.name}_api`;
  await admin.query(`CREATE ROLE ${user} LOGIN PASSWORD 'for-a-test'`);
  await admin.query(`ALTER DATABASE ${database.name} CONNECTION LIMIT ${LIMIT}`);
  stage = await openIncidentStage({
    subject: 'hive',
    system: 'agent-hive',
    overlay: agentHiveOnSandbox({ database: database.name }),
    env: agentHiveSecrets,
  });
  exporter = await exportConnections(stage.namespace, admin, { database: database.name, user });
  await deployReadyApp(stage.namespace, API);
  traffic = await sendTraffic(stage.namespace, API, 5);
  await waitFor(
    'all to be measured',
    async () => (await up()) === 1 && (await used()) === 0 && (await errorsPerSecond()) === 0,
    { timeoutSeconds: 60 },
  );
}, 240_000);

afterAll(async () => {
  await traffic?.stop();
  await stage?.close();
  exporter?.close();
  await endSessions();
  await database?.remove();
  await admin?.query(`DROP ROLE ${user}`);
  await admin?.end();
}, 90_000);

afterEach(async () => {
  await endSessions();
  await stage.calm();
}, 90_000);

/** The file of deploy/ with shorter times, and what the sandbox's API measures under the names of the hive's. */
function shippedRules(): Rule[] {
  const text = readFileSync(join(import.meta.dirname, '../../deploy/prometheus/agent-hive.rules.yaml'), 'utf8');
  const { groups } = parse(onSandbox(text, stage.namespace.name)) as { groups: [{ rules: Rule[] }] };
  const measured = { record: 'leanvibe_http_requests_total', expr: `http_requests_total{${mine()}}` };
  return [
    measured,
    ...groups[0].rules.map((rule) => ({ ...rule, expr: rule.expr.replaceAll('[5m]', '[15s]'), for: '3s' })),
  ];
}
const watch = (): Promise<void> => stage.rules([{ name: 'shipped', rules: shippedRules() }]);

const mine = (): string => `namespace="${stage.namespace.name}"`;
const up = (): Promise<number> => valueOf(`max(up{${mine()},app="${API.container}"})`);
const used = (): Promise<number> =>
  valueOf(`max(leanvibe_database_connections_active{${mine()}} / leanvibe_database_connections_max)`);
const errorsPerSecond = (): Promise<number> => valueOf(`sum(rate(http_requests_total{${mine()},status=~"5.."}[15s]))`);

/** State of each alert by Prometheus's own word, once it has evaluated the rules that were just written. */
async function alerts(): Promise<Record<string, string>> {
  const { url } = readEndpoints().prometheus;
  const since = Date.now();
  return waitFor(
    'an evaluation',
    async () => {
      const { data } = (await (await fetch(`${url}/api/v1/rules?type=alert`)).json()) as {
        data: { groups: { name: string; rules: { name: string; state: string; health: string; lastEvaluation: string }[] }[] }; // prettier-ignore
      };
      const rules = data.groups.flatMap(({ name, rules }) => (name.startsWith(stage.environment) ? rules : []));
      const fresh = rules.every(({ health, lastEvaluation }) => health === 'ok' && Date.parse(lastEvaluation) > since);
      return rules.length > 0 && fresh && Object.fromEntries(rules.map(({ name, state }) => [name, state]));
    },
    { timeoutSeconds: 30 },
  );
}
const CALM = { SystemDown: 'inactive', HighErrorRate: 'inactive', DatabaseConnections: 'inactive' };

async function connect(count: number, query?: string): Promise<void> {
  for (let each = 0; each < count; each++) {
    const client = await database.connect({ user, password: 'for-a-test' });
    sessions.push(client);
    if (query) client.query(query).catch(() => undefined);
  }
}
async function endSessions(): Promise<void> {
  await admin?.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [user]);
  sessions.splice(0);
  await waitFor('no session', async () => (await states()).length === 0, { timeoutSeconds: 10 });
}
async function states(): Promise<string[]> {
  const { rows } = await admin.query<{ state: string }>('SELECT state FROM pg_stat_activity WHERE usename = $1 ORDER BY 1', [user]); // prettier-ignore
  return rows.map(({ state }) => state);
}
const untilUsed = (share: number): Promise<unknown> =>
  waitFor(`${share} used`, async () => (await used()) === share, { timeoutSeconds: 30 });

const isOver = async (incident: RunningProcedure): Promise<void> =>
  void expect(await incident.ending()).toMatchObject({ ok: true, result: { outcome: 'resolved' } });

test('H-13.1 SystemDown is not true of an API that answers, and opens an incident with its diagnosis when it does not', async () => {
  await watch();
  expect(await alerts()).toEqual(CALM);
  await setImage(stage.namespace, API, sample('v6'));
  const incident = await stage.incident(API.container);
  const facts = await outputsOf(await stage.runbook(incident, 'diagnose'));
  expect(facts['pods']).toMatchObject({ ready: 0 });
  await incident.until('Sev1', ({ lines }) => lines.some((line) => line.startsWith('Sev1')));
  const called = async () => JSON.stringify(await stage.received(`/pagerduty/${stage.environment}/`));
  const isCalled = async () => (await called()).includes('primary, please acknowledge');
  await waitFor('the primary to be called', isCalled, { timeoutSeconds: 30 });
  await setImage(stage.namespace, API, sample('v1'));
  await isOver(incident);
}, 180_000);

test('H-13.2 HighErrorRate is not true of few errors, and proposes to go back from a release that makes many; only who may can agree', async () => {
  await writeFaults(stage.namespace, API, { v2: { errorsUnderLoad: { aboveRps: 0, rate: 1 } } });
  await rolledOut(stage.namespace, API);
  await watch();
  expect(await alerts()).toEqual(CALM);
  await setImage(stage.namespace, API, sample('v2'));
  const incident = await stage.incident(API.container);
  const remedy = await stage.runbook(incident, 'remedy');
  const [gate] = await remedy.untilGatesOpen();
  expect(gate!.asks).toContain(`Go back to revision`);
  expect(gate!.asks).toContain(`(${sample('v1')})?`);
  expect(await remedy.decide({ gate: gate!.name, by: 'security-team' })).toMatchObject({ code: 'wrong-role' });
  expect((await containerOf(stage.namespace, API)).image).toBe(sample('v2'));
  expect(await remedy.decide({ gate: gate!.name, by: 'operations-team-lead' })).toMatchObject({ code: 'recorded' });
  await isOver(incident);
  expect((await containerOf(stage.namespace, API)).image).toBe(sample('v1'));
}, 240_000);

test('H-13.3 DatabaseConnections is not true at nine tenths of the pool, and starts its runbook beyond', async () => {
  await connect(LIMIT - 1, 'SELECT pg_sleep(600)');
  await untilUsed((LIMIT - 1) / LIMIT);
  await watch();
  expect(await alerts()).toEqual(CALM);
  await connect(1);
  const incident = await stage.incident(API.container);
  const facts = await outputsOf(await stage.runbook(incident, 'diagnose'));
  expect(facts['slow'].queries.map(({ query }: { query: string }) => query)).toContain('SELECT pg_sleep(?)');
  expect(facts['connections'].groups).toContainEqual(
    expect.objectContaining({ user, state: 'active', count: LIMIT - 1 }),
  );
  await outputsOf(await stage.runbook(incident, 'remedy'));
  await endSessions();
  await isOver(incident);
}, 180_000);

test('H-15.1 ends the idle sessions of an exhausted database, and none that works: who was refused is let in again', async () => {
  await connect(2, 'SELECT pg_sleep(600)');
  await connect(LIMIT - 2);
  await expect(connect(1)).rejects.toThrow(/too many connections for database/);
  await untilUsed(1);
  await watch();
  const incident = await stage.incident(API.container);
  const found = await outputsOf(await stage.runbook(incident, 'remedy'));
  expect(found['ended']).toEqual({ found: LIMIT - 2, ended: LIMIT - 2 });
  expect(await states()).toEqual(['active', 'active']);
  await connect(1);
  await isOver(incident);
  await endSessions();
}, 180_000);

test('H-15.2 changes the size of the pool only when ending idle sessions was not enough, and only when that is approved', async () => {
  await connect(LIMIT, 'SELECT pg_sleep(600)');
  await untilUsed(1);
  await watch();
  const incident = await stage.incident(API.container);
  const remedy = await stage.runbook(incident, 'remedy');
  const [gate] = await remedy.untilGatesOpen();
  expect(gate!.asks).toContain('0 idle sessions were ended');
  const variable = async () => (await containerOf(stage.namespace, API)).env!.find(({ name }) => name === 'DATABASE_POOL_SIZE'); // prettier-ignore
  expect(await remedy.decide({ gate: gate!.name, by: 'senior-operations-engineer' })).toMatchObject({
    code: 'wrong-role',
  });
  expect(await variable()).toBeUndefined();
  expect(await remedy.decide({ gate: gate!.name, by: 'vp-of-engineering' })).toMatchObject({ code: 'recorded' });
  await outputsOf(remedy);
  expect(await variable()).toEqual({ name: 'DATABASE_POOL_SIZE', value: '20' });
  expect((await states()).length).toBe(LIMIT);
  await endSessions();
  await isOver(incident);
}, 180_000);
