import type { WorkflowHandle } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import { changeControlId } from '../../src/contracts/change-control.ts';
import type { DeployReleaseResult } from '../../src/contracts/deploy-release.ts';
import type { RetireColorResult } from '../../src/contracts/retire-color.ts';
import { rollBackRelease, type RollBackReleaseResult } from '../../src/contracts/roll-back-release.ts';
import type { LoadReport, Opening } from '../load/load-report.ts';
import { startLoadProcess } from '../load/load-process.ts';
import { auditPosition, switchesSince } from './audit.ts';
import { REQUESTER, SERVICE, SYSTEM } from './catalog.ts';
import { costOf, eventsOf, type Cost } from './history.ts';
import { describeMachine, measureLoad, type Machine, type MachineLoad } from './machine.ts';
import { judgeMove, mixedTime, openedBetween, type Move } from './moves.ts';
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
    const ours = await underLoad({ url, rate, requests, say, interrupted }, () => releaseAndBack(setting, say));
    say(`${ours.part.load.issued} requests, ${ours.part.load.failed} failed`);
    const plain = await underLoad({ url: plainUrl, rate, requests: 0, say, interrupted }, () =>
      updateAndBack(setting, say),
    );
    const loadAfter = await measureLoad();
    return {
      ...{ bench: 'traffic', machine: describeMachine(), loadBefore, loadAfter },
      windlass: {
        ...ours.part,
        release: judgeMove(ours.openings, ours.done.switchedAt, 'v1', 'v2'),
        rollback: judgeMove(ours.openings, ours.done.switchedBackAt, 'v2', 'v1'),
        costs: ours.done.costs,
      },
      rollingUpdate: {
        ...plain.part,
        mixedMs: plain.done.map(({ from, to, since, until }) =>
          mixedTime(openedBetween(plain.openings, since, until), from, to),
        ),
      },
    };
  });
}

const wait = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { signal });

/** Keeps a load on a URL while something is done, and until so many requests were issued. */
async function underLoad<T>(
  { url, rate, requests, say, interrupted }: TrafficOptions & { url: string; interrupted: AbortSignal },
  act: () => Promise<T>,
): Promise<{ done: T; part: TrafficPart; openings: Opening[] }> {
  const load = await startLoadProcess({ url, requestsPerSecond: rate });
  try {
    await wait(2000, interrupted);
    const done = await act();
    say(`${requests > 0 ? `until ${requests} requests are issued` : 'the load ends'}`);
    await wait(SETTLE_MS, interrupted);
    while ((await load.snapshot()).issued < requests) await wait(500, interrupted);
    const openings = await load.openings();
    const report = await load.stop();
    const issuedPerSecond = Math.round((report.issued * 1000) / report.durationMs);
    return { done, part: { rate: issuedPerSecond, load: report }, openings };
  } finally {
    await load.stop().catch(() => undefined);
  }
}

/** When the API server had answered the patches of both switches, milliseconds since the epoch; and what all of it cost. */
async function releaseAndBack(
  { client, auditLog, interrupted }: Setting,
  say: TrafficOptions['say'],
): Promise<{ switchedAt: number; switchedBackAt: number; costs: TrafficReport['windlass']['costs'] }> {
  say('release of v2');
  const release = await startRelease(client, SYSTEM, ENVIRONMENT, 'v2');
  const gate = await untilGate(release);
  const forward = await switchDuring(auditLog, async () => {
    await approve(release, gate);
    return (await release.result()) as DeployReleaseResult;
  });

  say('the old color is deleted');
  const retirement = client.workflow.getHandle(forward.result.previous!.retireWorkflowId);
  expectOutcome((await retirement.result()) as RetireColorResult, 'retired');
  await wait(SETTLE_MS, interrupted);

  say('rollback to v1, which is deployed again');
  const rollback = await startProcedure(client, rollBackRelease, {
    ...{ system: SYSTEM, environment: ENVIRONMENT, service: SERVICE, requestedBy: REQUESTER },
    ...{ mode: 'emergency', reason: 'bench' },
  });
  const back = await switchDuring(auditLog, async () => {
    const result = (await rollback.result()) as RollBackReleaseResult;
    expectOutcome(result, 'rolled-back');
    return result;
  });
  const costOfRun = async ({ workflowId }: Pick<WorkflowHandle, 'workflowId'>): Promise<Cost> =>
    costOf(await eventsOf(client, workflowId));
  return {
    switchedAt: forward.switchedAt,
    switchedBackAt: back.switchedAt,
    costs: {
      deployRelease: await costOfRun(release),
      retireColor: await costOfRun(retirement),
      rollBackRelease: await costOfRun(rollback),
      changeControl: await costOfRun({ workflowId: changeControlId({ system: SYSTEM, environment: ENVIRONMENT }) }),
    },
  };
}

/** A rolling update of the plain Deployment, between two times in milliseconds since the epoch. */
interface Update {
  from: string;
  to: string;
  since: number;
  until: number;
}

async function updateAndBack({ cluster, interrupted }: Setting, say: TrafficOptions['say']): Promise<Update[]> {
  const updates: Update[] = [];
  for (const [from, to, command] of [
    ['v1', 'v2', ['set', 'image', 'deployment/shop', `app=${imageOf('v2')}`]],
    ['v2', 'v1', ['rollout', 'undo', 'deployment/shop']],
  ] as const) {
    say(`rolling update from ${from} to ${to}: kubectl ${command.join(' ')}`);
    const since = Date.now();
    await cluster.kubectl('-n', PLAIN, ...command);
    await cluster.kubectl('-n', PLAIN, 'rollout', 'status', 'deployment/shop', '--timeout=180s');
    await wait(SETTLE_MS, interrupted);
    updates.push({ from, to, since, until: Date.now() });
  }
  return updates;
}

/** Does something that makes one switch, and says when the API server had answered it. */
async function switchDuring<T>(
  auditLog: Setting['auditLog'],
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
