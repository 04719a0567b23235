import type { WorkflowHandle } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import { changeControlId } from '../../src/contracts/change-control.ts';
import type { DeployReleaseResult } from '../../src/contracts/deploy-release.ts';
import type { RetireColorResult } from '../../src/contracts/retire-color.ts';
import { rollBackRelease, type RollBackReleaseResult } from '../../src/contracts/roll-back-release.ts';
import type { LoadReport } from '../load/load-report.ts';
import { startLoadProcess } from '../load/load-process.ts';
import { auditPosition, switchesSince } from './audit.ts';
import { REQUESTER, SERVICE, SYSTEM } from './catalog.ts';
import { costOf, eventsOf, type Cost } from './history.ts';
import { judgeMove, takenAt, watchLoad, type LoadSeries, type Move } from './load-series.ts';
import { describeMachine, measureLoad, type Machine, type MachineLoad } from './machine.ts';
import { approve, imageOf, startProcedure, startRelease, untilGate } from './procedures.ts';
import { withSetting, type Setting } from './setting.ts';

/** What a part of the bench did to its clients. */
export interface TrafficPart {
  /** Requests per second that were really issued. */
  rate: number;
  load: LoadReport;
}

export interface TrafficReport {
  bench: 'traffic';
  machine: Machine;
  loadBefore: MachineLoad;
  loadAfter: MachineLoad;
  windlass: TrafficPart & {
    release: Move;
    /** After the deletion of the old color: the former version is deployed again, then traffic goes back. */
    rollback: Move;
    /** History events and billable actions of each procedure, and of change control for all three. */
    costs: Record<'deployRelease' | 'retireColor' | 'rollBackRelease' | 'changeControl', Cost>;
  };
  /** `kubectl set image`, then `kubectl rollout undo`: two rolling updates of a plain Deployment. */
  rollingUpdate: TrafficPart & {
    /** How long each update served both versions on new connections, milliseconds. */
    mixedMs: number[];
  };
}

export interface TrafficOptions {
  /** Requests per second. */
  rate: number;
  /** Of the first part, at least. */
  requests: number;
  say: (line: string) => void;
}

const ENVIRONMENT = 'bench-traffic';
const PLAIN = 'bench-plain';
const REPLICAS = 2;
/** Time for what happened last to show in the answers. */
const SETTLE_MS = 8000;

/** A release, the deletion of the old color and a rollback under load; then a rolling update under the same load. */
export function benchTraffic({ rate, requests, say }: TrafficOptions): Promise<TrafficReport> {
  const catalog = { environments: [ENVIRONMENT], retireAfter: '5s' };
  return withSetting(catalog, async (setting) => {
    const { cluster, interrupted } = setting;
    const url = await cluster.createShop(ENVIRONMENT, REPLICAS);
    interrupted.throwIfAborted();
    const plainUrl = await cluster.createShop(PLAIN, REPLICAS);
    interrupted.throwIfAborted();
    const loadBefore = await measureLoad();
    const windlass = await underLoad({ url, rate, requests, say, interrupted }, (series) =>
      releaseAndBack(setting, series, say),
    );
    say(`${windlass.load.issued} requests, ${windlass.load.failed} failed`);
    for (const { from, to, within5s, lastOldAfterMs } of [windlass.release, windlass.rollback])
      say(
        `${to}: ${(within5s.share * 100).toFixed(2)} % within 5 s, last ${from} ${lastOldAfterMs} ms after the patch`,
      );
    const rollingUpdate = await underLoad({ url: plainUrl, rate, requests: 0, say, interrupted }, (series) =>
      updateAndBack(setting, series, say),
    );
    const loadAfter = await measureLoad();
    return { bench: 'traffic', machine: describeMachine(), loadBefore, loadAfter, windlass, rollingUpdate };
  });
}

/** Keeps a load on a URL while something happens, and until so many requests were issued. */
async function underLoad<T>(
  { url, rate, requests, say, interrupted }: TrafficOptions & { url: string; interrupted: AbortSignal },
  act: (series: LoadSeries) => Promise<T>,
): Promise<T & TrafficPart> {
  const load = await startLoadProcess({ url, requestsPerSecond: rate });
  const series = watchLoad(load);
  try {
    await series.after(Date.now() + 2000);
    const found = await act(series);
    say(`${requests > 0 ? `until ${requests} requests are issued` : 'the load ends'}`);
    await delay(SETTLE_MS, undefined, { signal: interrupted });
    while ((await load.snapshot()).issued < requests) await delay(500, undefined, { signal: interrupted });
    await series.stop();
    const report = await load.stop();
    return { ...found, rate: Math.round((report.issued * 1000) / report.durationMs), load: report };
  } finally {
    await series.stop();
    await load.stop().catch(() => undefined);
  }
}

async function releaseAndBack(
  setting: Setting,
  series: LoadSeries,
  say: TrafficOptions['say'],
): Promise<Omit<TrafficReport['windlass'], keyof TrafficPart>> {
  const { client } = setting;
  say('release of v2');
  const release = await startRelease(client, SYSTEM, ENVIRONMENT, 'v2');
  const gate = await untilGate(release);
  const forward = await switchDuring(setting, async () => {
    await approve(release, gate);
    return (await release.result()) as DeployReleaseResult;
  });
  const moved = await judgeMove(series, forward.switchedAt, 'v1', 'v2');

  say('the old color is deleted');
  const retirement = client.workflow.getHandle(forward.result.previous!.retireWorkflowId);
  expectOutcome((await retirement.result()) as RetireColorResult, 'retired');
  await delay(SETTLE_MS);

  say('rollback to v1, which is deployed again');
  const rollback = await startProcedure(client, rollBackRelease, {
    ...{ system: SYSTEM, environment: ENVIRONMENT, service: SERVICE, requestedBy: REQUESTER },
    ...{ mode: 'emergency', reason: 'bench' },
  });
  const back = await switchDuring(setting, async () => {
    const result = (await rollback.result()) as RollBackReleaseResult;
    expectOutcome(result, 'rolled-back');
    return result;
  });
  const costOfRun = async ({ workflowId }: Pick<WorkflowHandle, 'workflowId'>): Promise<Cost> =>
    costOf(await eventsOf(client, workflowId));
  return {
    release: moved,
    rollback: await judgeMove(series, back.switchedAt, 'v2', 'v1'),
    costs: {
      deployRelease: await costOfRun(release),
      retireColor: await costOfRun(retirement),
      rollBackRelease: await costOfRun(rollback),
      changeControl: await costOfRun({ workflowId: changeControlId({ system: SYSTEM, environment: ENVIRONMENT }) }),
    },
  };
}

async function updateAndBack(
  { cluster }: Setting,
  series: LoadSeries,
  say: TrafficOptions['say'],
): Promise<Pick<TrafficReport['rollingUpdate'], 'mixedMs'>> {
  const mixedMs: number[] = [];
  for (const [from, to, command] of [
    ['v1', 'v2', ['set', 'image', 'deployment/shop', `app=${imageOf('v2')}`]],
    ['v2', 'v1', ['rollout', 'undo', 'deployment/shop']],
  ] as const) {
    say(`rolling update from ${from} to ${to}: kubectl ${command.join(' ')}`);
    const began = Date.now();
    await cluster.kubectl('-n', PLAIN, ...command);
    await cluster.kubectl('-n', PLAIN, 'rollout', 'status', 'deployment/shop', '--timeout=180s');
    const { versions } = await series.after(Date.now() + SETTLE_MS);
    mixedMs.push((versions[from]?.connections.new?.lastAt ?? began) - (await firstAnswerOf(series, to, began)));
  }
  return { mixedMs };
}

/** When a version first answered a new connection after a time. */
async function firstAnswerOf(series: LoadSeries, version: string, after: number): Promise<number> {
  const count = ({ versions }: LoadReport): number => versions[version]?.connections.new?.count ?? 0;
  const former = count(series.before(after));
  for (let at = after; ;) {
    const look = await series.after(at);
    at = takenAt(look);
    if (count(look) > former) return at;
  }
}

/** Does something that makes one switch, and says when the API server had answered it. */
async function switchDuring<T>(
  { auditLog }: Setting,
  act: () => Promise<T>,
): Promise<{ switchedAt: number; result: T }> {
  const from = auditPosition(auditLog);
  const result = await act();
  const [switchedAt, ...more] = await switchesSince(auditLog, from, ENVIRONMENT);
  if (switchedAt === undefined || more.length > 0) throw new Error('expected exactly one switch in the audit log');
  return { switchedAt, result };
}

function expectOutcome(result: { outcome: string; message?: string }, expected: string): void {
  if (result.outcome !== expected) throw new Error(`expected ${expected}, got ${JSON.stringify(result)}`);
}
