import type { Client } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import type { HandleIncidentResult } from '../../src/contracts/handle-incident.ts';
import type { ProgressView } from '../../src/contracts/progress.ts';
import { waitFor } from '../sandbox/wait.ts';
import { SERVICE, SYSTEM } from './catalog.ts';
import { timeOf } from './history.ts';
import { alertOf, post, type BenchAlert, type Posted } from './intake.ts';
import { measureLoad, type MachineLoad } from './machine.ts';
import { eachOf } from './procedures.ts';
import type { Setting } from './setting.ts';
import { summarize, type Summary } from './statistics.ts';

/** What became of many alerts of one cause. */
export interface StormReport {
  how: 'in batches' | 'one by one';
  alerts: number;
  webhooks: number;
  /** Webhooks that were not answered with 2xx: Alertmanager would send them again. */
  refused: number;
  answeredMs?: Summary;
  /** From the first webhook sent to the last signal in the history. */
  allInMs: number;
  /** Runs of handleIncident since the first webhook. */
  incidents: number;
  /** As its result says. */
  counted: number;
  remedies: number;
  outcome: string;
  signals: number;
  events: number;
  historyBytes: number;
  failedWorkflowTasks: number;
  loadBefore: MachineLoad;
  loadAfter: MachineLoad;
}

/** Prometheus sends at most so many at once, and Alertmanager the whole group again whenever it has grown. */
const BATCH = 256;
const GROUP_INTERVAL_MS = 1000;
/** Webhooks under way at once when each brings one alert. */
const IN_FLIGHT = 50;

export async function storm(
  setting: Setting,
  { environment, how, size }: { environment: string; how: StormReport['how']; size: number },
): Promise<StormReport> {
  const { client, endpoints, interrupted } = setting;
  const alerts = Array.from({ length: size }, (_, index) => alertOf(environment, `shop-${index}`));
  const loadBefore = await measureLoad();
  const posts = await (how === 'in batches' ? inBatches : oneByOne)(setting, alerts);
  const loadAfter = await measureLoad();
  const first = Math.min(...posts.map(({ sentAt }) => sentAt));
  const id = `incident/${SYSTEM}/${environment}/${SERVICE}`;
  const incident = client.workflow.getHandle(id, (await client.workflow.getHandle(id).describe()).runId);
  await waitFor(
    `${size} alerts in ${id}`,
    async () => {
      const { lines } = await incident.query<ProgressView>('progress');
      return lines.some((line) => line.startsWith(`${size} alerts, `));
    },
    { timeoutSeconds: 120, everyMs: 500 },
  );
  const signalTimes = ((await incident.fetchHistory()).events ?? [])
    .filter((event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'alerts')
    .map(timeOf);
  interrupted.throwIfAborted();
  await post(
    endpoints,
    alerts.map((alert) => ({ ...alert, status: 'resolved' as const })),
  );
  const result = (await incident.result()) as HandleIncidentResult;
  const { historyLength, historySize } = await incident.describe();
  const events = (await incident.fetchHistory()).events ?? [];
  return {
    ...{ how, alerts: size, webhooks: posts.length, loadBefore, loadAfter },
    refused: posts.filter(({ ok }) => !ok).length,
    answeredMs: summarize(posts.map(({ answeredMs }) => answeredMs)),
    allInMs: Math.round(Math.max(...signalTimes) - first),
    incidents: await runsSince(client, id, first),
    counted: result.alerts ?? 0,
    remedies: await runsSince(client, `${id}/remedy`, first),
    outcome: result.outcome,
    signals: events.filter((event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'alerts').length,
    events: historyLength,
    historyBytes: historySize ?? 0,
    failedWorkflowTasks: events.filter((event) => event.workflowTaskFailedEventAttributes).length,
  };
}

async function inBatches({ endpoints, interrupted }: Setting, alerts: BenchAlert[]): Promise<Posted[]> {
  const posts: Posted[] = [];
  for (let count = BATCH; posts.length === 0 || count < alerts.length + BATCH; count += BATCH) {
    if (posts.length > 0) await delay(GROUP_INTERVAL_MS);
    interrupted.throwIfAborted();
    posts.push(await post(endpoints, alerts.slice(0, count)));
  }
  return posts;
}

async function oneByOne({ endpoints, interrupted }: Setting, alerts: BenchAlert[]): Promise<Posted[]> {
  const posts: Posted[] = [];
  await eachOf(alerts, IN_FLIGHT, interrupted, async (alert) => void posts.push(await post(endpoints, [alert])));
  return posts;
}

/** Visibility is a moment behind. */
async function runsSince(client: Client, workflowId: string, since: number): Promise<number> {
  const query = `WorkflowId = '${workflowId}' AND StartTime >= '${new Date(since - 1).toISOString()}'`;
  return waitFor(
    `${workflowId} in the visibility store`,
    async () => {
      const { count } = await client.workflow.count(query);
      return count > 0 && count;
    },
    { timeoutSeconds: 30 },
  );
}
