import { Client, Connection } from '@temporalio/client';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { endMatching } from '../../scripts/end-matching.ts';
import { alertmanager as sandboxAlertmanager } from '../../scripts/sandbox/alertmanager.ts';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { removeRules, writeRules } from '../../scripts/sandbox/rules.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { cliOf, ensureCli, type CliAnswer } from './acceptance-cli.ts';
import { follow, type RunningProcedure } from './acceptance-procedure.ts';
import { createTestNamespace, type TestNamespace } from './namespace.ts';
import type { ReceivedRequest } from './receivers/request-log.ts';
import { readObject } from './stored-object.ts';
import { startWorker, type WorkerProcess } from './worker.ts';

export interface IncidentStageOptions {
  /** Short name of the subject; part of every name that it makes. */
  subject: string;
  /** The system whose shipped file is used. */
  system: string;
  /** What else differs from it, given where it runs. */
  overlay?: (place: Place) => Record<string, unknown>;
  /** Which alerts its worker takes: the first and the second can be open at a time. @default 'first' */
  intake?: 'none' | 'first' | 'second';
  /** More of the worker's environment: what the references of the file resolve to. */
  env?: (place: Place) => Record<string, string>;
}

export interface Place {
  environment: string;
  namespace: string;
  /** Address of the receivers, and of the mail server among them. */
  receivers: string;
  smtp: string;
}

/** A shipped system on the sandbox: a worker that takes alerts, an environment and a namespace of its own. */
export interface IncidentStage {
  client: Client;
  environment: string;
  namespace: TestNamespace;
  worker: WorkerProcess;
  /** The shipped CLI, as that person. */
  cli(as: string, ...args: string[]): Promise<CliAnswer>;
  /** Gives Prometheus an alert that fires while the expression is true, labeled for this system and environment. */
  alertWhile(alert: string, expr: string, more?: Omit<Rule, 'alert' | 'expr'>): Promise<void>;
  /** Ends its alerts, as Alertmanager is told too, and lets none fire until there are rules again. */
  calm(): Promise<void>;
  /** Rules for Prometheus as they are; every alert is labeled for this system and environment. */
  rules(groups: { name: string; rules: Rule[] }[]): Promise<void>;
  /** The incident that is open, once there is one that was not given before. */
  incident(service?: string): Promise<RunningProcedure>;
  /** Takes care of an incident, by the CLI, as soon as it knows its people. */
  acknowledge(as: string, incident: RunningProcedure): Promise<void>;
  /** A workflow of an incident once it is there: its diagnosis, remedy or recovery. */
  runbook(incident: RunningProcedure, purpose: 'diagnose' | 'remedy' | 'recovery'): Promise<RunningProcedure>;
  /** What arrived for people on a path of the receivers that holds this text, oldest first. */
  received(path: string): Promise<ReceivedRequest[]>;
  /** What is kept under an address such as `s3://bucket/key`. */
  evidence(uri: string): Promise<string>;
  close(): Promise<void>;
}

export interface Rule {
  alert?: string;
  expr: string;
  labels?: Record<string, string>;
  [key: string]: unknown;
}

/** Only one of each intake at a time: Alertmanager sends alerts to two ports of the machine. */
export async function openIncidentStage(options: IncidentStageOptions): Promise<IncidentStage> {
  const { subject, system, intake = 'first', overlay = () => ({}), env = () => ({}) } = options;
  const { temporal, kubernetes, prometheus, alertmanager, receivers } = readEndpoints();
  const { secondIntake } = sandboxAlertmanager;
  const taskQueue = `acc-${subject}-${randomBytes(3).toString('hex')}`;
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, namespace: temporal.namespace });
  await ensureCli();
  const namespace = await createTestNamespace();
  const place = { environment: taskQueue, namespace: namespace.name, receivers: receivers.url, smtp: receivers.smtp };
  const shipped = readShipped(system);
  const environments = {
    ...Object.fromEntries(Object.keys(shipped['environments'] as object).map((name) => [name, null])),
    [taskQueue]: {
      ...{ cluster: { context: kubernetes.context }, namespace: namespace.name, prometheus: prometheus.url },
      production: true,
    },
  };
  const own = {
    overlayOf: system,
    environments,
    runbooks: hasty(shipped['runbooks']),
    incidents: { quietFor: '3s' },
    windows: null,
    errorBudgets: null,
  };
  const worker = await startWorker({
    taskQueue,
    overlays: [own, { overlayOf: system, ...overlay(place) }],
    env: {
      ...(intake === 'none' ? {} : { WINDLASS_ALERTS_TOKEN: `file:${alertmanager.intake.tokenFile}` }),
      ...(intake === 'second' ? { WINDLASS_ALERTS_ADDRESS: new URL(secondIntake.url).host } : {}),
      ...env(place),
    },
  }).catch(async (error: Error) => {
    await Promise.all([namespace.remove(), connection.close()]);
    throw error;
  });
  const routed = intake === 'second' ? { [secondIntake.label]: secondIntake.value } : {};
  let written: { name: string; rules: Rule[] }[] | undefined;
  const known = new Set<string>();

  const stage: IncidentStage = {
    ...{ client, environment: taskQueue, namespace, worker },
    cli: cliOf(taskQueue),
    alertWhile: (alert, expr, more) => stage.rules([{ name: subject, rules: [{ alert, expr, ...more }] }]),
    async calm() {
      if (!written) return;
      // Without rules an alert that fires would end only minutes later.
      await stage.rules(
        written.map(({ name, rules }) => ({
          name,
          rules: rules.flatMap(({ alert, labels = {} }) => (alert ? [{ alert, labels, expr: 'vector(0) > 1' }] : [])),
        })),
      );
      await waitFor('the end of alerts', async () => (await firing(taskQueue)) === 0, { timeoutSeconds: 60 });
    },
    rules(groups) {
      written = groups;
      return writeRules(
        prometheus,
        taskQueue,
        groups.map(({ name, rules }) => ({
          name: `${taskQueue}-${name}`,
          rules: rules.map((rule) => ({
            ...rule,
            labels: { ...rule.labels, ...routed, system, environment: taskQueue },
          })),
        })),
      );
    },
    async incident(service) {
      const id = ['incident', system, taskQueue, service ?? 'all'].join('/');
      const runId = await waitFor(
        `an incident ${id}`,
        async () => {
          const { status, runId } = await client.workflow.getHandle(id).describe();
          return status.name === 'RUNNING' && !known.has(runId) && runId;
        },
        { timeoutSeconds: 60 },
      );
      known.add(runId);
      return follow(client.workflow.getHandle(id, runId));
    },
    async acknowledge(as, incident) {
      const taken = async () => (await stage.cli(as, 'ack', incident.id)).code === 0;
      await waitFor(`${as} to take care`, taken, { timeoutSeconds: 30 });
    },
    async runbook(incident, purpose) {
      const id = `${incident.id}/${purpose}`;
      const parent = await incident.handle.describe();
      // An earlier incident had workflows of the same ids.
      const runId = await waitFor(
        id,
        async () => {
          const { runId, parentExecution } = await client.workflow.getHandle(id).describe();
          return parentExecution?.runId === parent.runId && runId;
        },
        { timeoutSeconds: 90 },
      );
      return follow(client.workflow.getHandle(id, runId));
    },
    async received(path) {
      const all = (await (await fetch(`${receivers.url}/requests`)).json()) as ReceivedRequest[];
      return all.filter((request) => request.outcome !== 'refused' && request.path.includes(path));
    },
    evidence: readObject,
    async close() {
      await stage.calm();
      await removeRules(prometheus, taskQueue);
      await endMatching(client, `TaskQueue = "${taskQueue}" AND ExecutionStatus = "Running"`, 'the test is over');
      await worker.stop();
      await connection.close();
      await namespace.remove();
    },
  };
  return stage;
}

// What comes back is what the test asserts.
type Outputs = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any

/** What the steps of a runbook returned, by name, once it is over. @throws Error when it failed */
export async function outputsOf(runbook: RunningProcedure): Promise<Outputs> {
  const ending = await runbook.ending();
  if (!ending.ok) throw new Error(`${runbook.id}: ${ending.type}: ${ending.message}`);
  const steps = ending.result['steps'] as { step: string; output?: unknown }[];
  return Object.fromEntries(steps.map(({ step, output }) => [step, output]));
}

/** How many alerts of an environment Alertmanager knows. */
async function firing(environment: string): Promise<number> {
  const filter = encodeURIComponent(`environment="${environment}"`);
  const answer = await fetch(`${readEndpoints().alertmanager.url}/api/v2/alerts?filter=${filter}`);
  return ((await answer.json()) as unknown[]).length;
}

export const readShipped = (system: string): Record<string, unknown> =>
  parse(readFileSync(join(import.meta.dirname, `../../systems/${system}.yaml`), 'utf8')) as Record<string, unknown>;

/** The same runbooks with short times: what must hold, or be waited for, takes seconds, and rates are of the last ones. */
function hasty(runbooks: unknown): unknown {
  const short: Record<string, string> = { holdsFor: '3s', wait: '4s', idleFor: '1s' };
  return JSON.parse(JSON.stringify(runbooks ?? {}).replaceAll('[5m]', '[15s]'), (key, value: unknown) =>
    typeof value === 'string' ? (short[key] ?? value) : value,
  );
}
