import type { Client, WorkflowHandle } from '@temporalio/client';
import type { DeployReleaseResult } from '../../src/contracts/deploy-release.ts';
import type { GateView } from '../../src/contracts/gates.ts';
import { auditPosition, switchesSince } from './audit.ts';
import { PARKED_SYSTEM, SYSTEM } from './catalog.ts';
import { eventsOf, phasesOf, type DecisionPhases } from './history.ts';
import { describeMachine, measureLoad, QUIET, untilQuiet, type Machine, type MachineLoad } from './machine.ts';
import { approve, eachOf, startRelease, untilGate } from './procedures.ts';
import { endMatching } from '../end-matching.ts';
import { withSetting, type Setting } from './setting.ts';
import { rounded, summarize, type Summary } from './statistics.ts';

/** One decision. Milliseconds. */
export interface PromoteSample {
  environment: string;
  version: string;
  /** Share of all processors in use just before the decision, 0 to 1. */
  busyBefore: number;
  /** Until the answer to the decision was back. */
  answeredMs: number;
  /** Until the API server had answered the patch of the selector. */
  switchedMs: number;
  phases: DecisionPhases;
}

export interface PromoteSeries {
  /** Procedures that waited on the same worker meanwhile, each with a change control that watches it. */
  parked: number;
  loadBefore: MachineLoad;
  loadAfter: MachineLoad;
  switchedMs?: Summary;
  answeredMs?: Summary;
  /** Only decisions before which the machine was quiet. */
  quietSwitchedMs?: Summary;
  /** Median of each phase. */
  phasesP50: DecisionPhases;
  samples: PromoteSample[];
}

export interface PromoteReport {
  bench: 'promote';
  machine: Machine;
  series: PromoteSeries[];
}

export interface PromoteOptions {
  runs: number;
  parked: number;
  /** Each decision waits this long for a quiet machine, at most; milliseconds. */
  waitMs: number;
  say: (line: string) => void;
}

/** Releases that are brought to their gates together, so that their pods do not start while a decision is timed. */
const LANES = 10;
const VERSIONS = ['v2', 'v10', 'v1'];
const PARKED_NAMESPACE = 'bench-parked';

/** Times `runs` decisions from the client's call to the patched selector; again with procedures parked. */
export function benchPromote({ runs, parked, waitMs, say }: PromoteOptions): Promise<PromoteReport> {
  const lanes = Array.from({ length: Math.min(LANES, runs) }, (_, index) => `bench-${index + 1}`);
  const waiting = Array.from({ length: parked }, (_, index) => `parked-${index + 1}`);
  const catalog = {
    environments: lanes,
    ...(parked > 0 ? { parked: { environments: waiting, namespace: PARKED_NAMESPACE } } : {}),
    retireAfter: '24h',
  };
  return withSetting(catalog, async (setting) => {
    say(`the sample application in ${lanes.length} namespaces`);
    await eachOf(lanes, 3, setting.interrupted, async (lane) => void (await setting.cluster.createShop(lane, 1)));
    const series = [await measure(setting, lanes, { runs, parked: 0, waitMs, say, firstRound: 0 })];
    if (parked > 0) {
      await park(setting, waiting, say);
      series.push(
        await measure(setting, lanes, { runs, parked, waitMs, say, firstRound: Math.ceil(runs / lanes.length) }),
      );
    }
    return { bench: 'promote', machine: describeMachine(), series };
  });
}

/** Brings releases to their approval, where they stay: nothing has changed in the cluster then. */
async function park({ client, cluster, interrupted }: Setting, environments: string[], say: (line: string) => void) {
  say(`${environments.length} releases are started and wait for their approval`);
  await cluster.createShop(PARKED_NAMESPACE, 1);
  await eachOf(environments, 8, interrupted, async (environment) => {
    await untilGate(await startRelease(client, PARKED_SYSTEM, environment, 'v2'));
  });
}

async function measure(
  setting: Setting,
  lanes: string[],
  { runs, parked, waitMs, say, firstRound }: PromoteOptions & { firstRound: number },
): Promise<PromoteSeries> {
  const samples: PromoteSample[] = [];
  const loadBefore = await measureLoad();
  for (let round = firstRound; samples.length < runs; round++) {
    const version = VERSIONS[round % VERSIONS.length]!;
    const ready: { environment: string; handle: WorkflowHandle; gate: GateView }[] = [];
    await eachOf(lanes.slice(0, runs - samples.length), 3, setting.interrupted, async (environment) => {
      const handle = await startRelease(setting.client, SYSTEM, environment, version);
      ready.push({ environment, handle, gate: await untilGate(handle) });
    });
    for (const { environment, handle, gate } of ready) {
      setting.interrupted.throwIfAborted();
      samples.push({ environment, version, ...(await decide(setting, { environment, handle, gate, waitMs })) });
    }
    await endFollowUps(setting.client);
    say(`${samples.length} of ${runs} decisions with ${parked} parked procedures`);
  }
  const of = (pick: (sample: PromoteSample) => number) => summarize(samples.map(pick));
  say(`selector patched: ${JSON.stringify(of(({ switchedMs }) => switchedMs))} ms`);
  return {
    parked,
    loadBefore,
    loadAfter: await measureLoad(),
    switchedMs: of(({ switchedMs }) => switchedMs),
    answeredMs: of(({ answeredMs }) => answeredMs),
    quietSwitchedMs: summarize(
      samples.filter(({ busyBefore }) => busyBefore <= QUIET).map(({ switchedMs }) => switchedMs),
    ),
    phasesP50: medians(samples.map(({ phases }) => phases)),
    samples,
  };
}

/** One decision, timed from outside; everything is read after the release has ended, so that reading delays nothing. */
async function decide(
  { client, auditLog }: Setting,
  {
    environment,
    handle,
    gate,
    waitMs,
  }: { environment: string; handle: WorkflowHandle; gate: GateView; waitMs: number },
): Promise<Omit<PromoteSample, 'environment' | 'version'>> {
  const busyBefore = await untilQuiet(waitMs);
  const from = auditPosition(auditLog);
  const { sentAt, answeredMs } = await approve(handle, gate);
  const { outcome } = (await handle.result()) as DeployReleaseResult;
  if (outcome !== 'released') throw new Error(`${handle.workflowId} ended ${outcome}`);
  const [switchedAt, ...more] = await switchesSince(auditLog, from, environment);
  if (switchedAt === undefined || more.length > 0)
    throw new Error(
      `expected one switch of ${environment} in the audit log, got ${more.length + (switchedAt ? 1 : 0)}`,
    );
  const phases = phasesOf(await eventsOf(client, handle.workflowId), sentAt, switchedAt);
  return { busyBefore, answeredMs, switchedMs: rounded(switchedAt - sentAt, 2), phases };
}

/** A retirement and a review outlive their release by design; here they would add up. */
const endFollowUps = (client: Client): Promise<void> =>
  endMatching(
    client,
    `OpsSystem = '${SYSTEM}' AND OpsProcedure IN ('retireColor', 'reviewRelease') AND ExecutionStatus = 'Running'`,
    'the bench is over',
  );

function medians(phases: DecisionPhases[]): DecisionPhases {
  const of = (key: keyof DecisionPhases): number =>
    rounded(summarize(phases.map((each) => each[key]))?.p50 ?? Number.NaN);
  return {
    admitted: of('admitted'),
    taken: of('taken'),
    decided: of('decided'),
    activityStarted: of('activityStarted'),
    switched: of('switched'),
  };
}
