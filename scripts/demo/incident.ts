import { join } from 'node:path';
import { startLoadProcess } from '../load/load-process.ts';
import { removeRules, writeRules } from '../sandbox/rules.ts';
import { seconds, type Narrator } from './narrator.ts';
import { administrator } from './shop.ts';
import { isClosed, type Ended } from './operator.ts';
import { onStage, type DemoOptions, type Stage, type WorkerKilled } from './stage.ts';

/** An incident as it went. Durations are milliseconds. */
export interface IncidentReport {
  passed: boolean;
  /** What did not go as promised; empty when all did. */
  broken: string[];
  durationMs: number;
  workerKilled: WorkerKilled;
  severity: string;
  /** From opening to acknowledgement, and from the first alert to the end. */
  mttaMs: number;
  mttrMs: number;
  /** Requests that failed, by kind: the outage as visitors had it. */
  failuresByKind: Record<string, number>;
  /** Where the draft of the post-mortem is. */
  postMortem: string;
  /** Version that answers at the end. */
  answersAfter: string;
}

const REQUESTS_PER_SECOND = 20;
const RULES = 'demo-incident';
const INCIDENT = 'incident/sandbox/local/shop';
const ON_CALL = 'lee';
const APPROVER = 'ana';

/** Breaks the shop by a bad image, and shows what becomes of the alert until the shop answers again. */
export async function showIncident(tell: Narrator, options: DemoOptions): Promise<IncidentReport> {
  const startedAt = Date.now();
  const play = async (stage: Stage): Promise<IncidentReport> => {
    const { endpoints, operator, url } = stage;
    const load = await startLoadProcess({ url, requestsPerSecond: REQUESTS_PER_SECOND });
    try {
      await writeRules(endpoints.prometheus, RULES, [{ name: RULES, interval: '1s', rules: [RULE] }]);
      tell.chapter('Somebody sets an image that crashes, past all procedures.');
      await breakShop(stage);
      tell.say('kubectl set image deployment/shop app=…:v6');
      const [ended, workerKilled] = await Promise.all([operator.watch(INCIDENT), handle(tell, stage, options)]);
      const figures = await load.stop();
      const answersAfter = (await fetch(url)).headers.get('x-app-version') ?? 'nobody';
      const report = reportOf(ended, { workerKilled, answersAfter, failuresByKind: figures.failuresByKind });
      summarize(tell, report);
      return { ...report, durationMs: Date.now() - startedAt };
    } finally {
      await load.stop().catch(() => undefined);
      await removeRules(endpoints.prometheus, RULES);
    }
  };
  return onStage(tell, options, play, { overlays: [join(import.meta.dirname, 'incident.yaml')], takesAlerts: true });
}

const UP = 'up{namespace="shop", app="shop"}';

/**
 * True while no pod of the shop answers Prometheus. Only what was scraped just now counts: for five minutes Prometheus also
 * answers with the pods of a sandbox that was taken down before.
 */
const RULE = {
  alert: 'ShopDown',
  expr: `max(${UP} and time() - timestamp(${UP}) < 10) == 0`,
  for: '3s',
  labels: { system: 'sandbox', environment: 'local', service: 'shop', severity: 'critical' },
};

async function breakShop({ endpoints }: Stage): Promise<void> {
  const kubectl = administrator(endpoints);
  // Old pods end before new ones start: an outage, and not merely a rollout that does not get on.
  const recreate = '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}';
  await kubectl('-n', 'shop', 'patch', 'deployment', 'shop', '--patch', recreate);
  await kubectl('-n', 'shop', 'set', 'image', 'deployment/shop', 'app=docker.io/windlass/sample:v6');
}

/** What people do: one acknowledges, one approves the way back; the worker is killed after that. */
async function handle(tell: Narrator, stage: Stage, { unattended }: DemoOptions): Promise<WorkerKilled> {
  const { operator } = stage;
  const opened = await operator.until(INCIDENT, (now) => now.run.awaiting.length > 0 || isClosed(now));
  tell.say(`an incident is open: ${INCIDENT}`);
  if (isClosed(opened)) return { during: '', downMs: 0 };
  if (unattended) await operator.order(['ack', INCIDENT], ON_CALL);
  else tell.say(`take care of it:  npx windlass ack ${INCIDENT} --as ${ON_CALL}`);
  const remedy = `${INCIDENT}/remedy`;
  await operator.until(remedy, (status) => status.run.awaiting.length > 0 || isClosed(status));
  if (unattended) await operator.order(['approve', remedy, 'undo-rollout'], APPROVER);
  else tell.say(`approve the way back:  npx windlass approve ${remedy} --as ${APPROVER}`);
  return stage.killWorkerDuring(INCIDENT, { step: /^Wait until it is over/ });
}

type Seen = Pick<IncidentReport, 'workerKilled' | 'answersAfter' | 'failuresByKind'>;

function reportOf({ ok, failure, result }: Pick<Ended, 'ok' | 'failure' | 'result'>, seen: Seen): IncidentReport {
  const {
    severity = '',
    mttaMs = 0,
    mttrMs = 0,
    postMortem,
  } = result as {
    severity?: string;
    mttaMs?: number;
    mttrMs?: number;
    postMortem?: { uri: string };
  };
  const failed = Object.values(seen.failuresByKind).reduce((sum, count) => sum + count, 0);
  const broken = [
    ...(ok ? [] : [`the incident is resolved: ${failure}`]),
    ...(failed > 0 ? [] : ['the shop was really down']),
    ...(seen.answersAfter === 'v1' ? [] : ['v1 answers again']),
    ...(mttaMs > 0 ? [] : ['somebody took care']),
    ...(postMortem ? [] : ['the post-mortem is kept']),
    ...(seen.workerKilled.during ? [] : ['the worker was killed in the middle']),
  ];
  const figures = { severity, mttaMs, mttrMs, postMortem: postMortem?.uri ?? '' };
  return { passed: broken.length === 0, broken, durationMs: 0, ...figures, ...seen };
}

function summarize(tell: Narrator, { broken, severity, mttaMs, mttrMs, failuresByKind, postMortem }: IncidentReport) {
  tell.conclude(broken);
  tell.say(`${severity}: acknowledged after ${seconds(mttaMs)}, over after ${seconds(mttrMs)}`);
  tell.say(`requests that failed meanwhile: ${JSON.stringify(failuresByKind)}`);
  tell.say(`draft of the post-mortem: ${postMortem}`);
}
