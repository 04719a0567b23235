import type { Client } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../sandbox/wait.ts';
import { SERVICE, SYSTEM } from './catalog.ts';
import { eventsOf, timeOf } from './history.ts';
import { ALERT, alertOf, intakeEnvironment, post, type Posted } from './intake.ts';
import { describeMachine, measureLoad, type Machine, type MachineLoad } from './machine.ts';
import { eachOf } from './procedures.ts';
import { withSetting, type Setting } from './setting.ts';
import { rounded, summarize, type Summary } from './statistics.ts';
import { storm, type StormReport } from './storm.ts';

/** Where the time of an alert went, in milliseconds, by the Temporal server's clock (the same machine's). */
export interface AlertPhases {
  /** Sent, and the workflow of its incident is there. */
  opened: number;
  /** The incident read its catalog, measured its severity and began its remedy. */
  remedyBegun: number;
  /** The remedy was planned, and a worker started its first action. */
  actionStarted: number;
}

export interface AlertSample {
  environment: string;
  answeredMs: number;
  remedyMs: number;
  phases: AlertPhases;
}

export interface AlertsSeries {
  perSecond: number;
  loadBefore: MachineLoad;
  loadDuring: MachineLoad;
  remedyMs?: Summary;
  answeredMs?: Summary;
  /** Median of each phase. */
  phasesP50: AlertPhases;
  samples: AlertSample[];
}

export interface AlertsReport {
  bench: 'alerts';
  machine: Machine;
  series: AlertsSeries[];
  storms: StormReport[];
}

export interface AlertsOptions {
  /** Alerts at 1/s, at 10/s, and of each storm. */
  slow: number;
  fast: number;
  storm: number;
  say: (line: string) => void;
}

const NAMESPACE = 'bench-alerts';
const WARM = 'warm';
const STORMS = ['storm-batches', 'storm-singles'] as const;

/**
 * Sends alerts to the real intake, each about an environment of its own, and reads in the histories of their remedies when
 * the first action of each was started; then storms of one cause.
 */
export function benchAlerts({ slow, fast, storm: size, say }: AlertsOptions): Promise<AlertsReport> {
  const named = (prefix: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
  const [ones, tens] = [named('slow', slow), named('fast', fast)];
  const environments = [WARM, ...ones, ...tens, ...STORMS];
  return withSetting(
    { environments, namespace: NAMESPACE, alert: ALERT, retireAfter: '24h' },
    async (setting) => {
      say(`the sample application, and an alert that is not counted`);
      await setting.cluster.createShop(NAMESPACE, 1);
      await measure(setting, [WARM], 1);
      const series = [];
      for (const [lanes, perSecond] of [
        [ones, 1],
        [tens, 10],
      ] as const) {
        say(`${lanes.length} alerts at ${perSecond}/s`);
        series.push(await measure(setting, lanes, perSecond));
        say(`first activity of the remedy: ${JSON.stringify(series.at(-1)!.remedyMs)} ms`);
      }
      const storms = [];
      for (const [environment, how] of [
        [STORMS[0], 'in batches'],
        [STORMS[1], 'one by one'],
      ] as const) {
        say(`a storm of ${size} alerts, ${how}`);
        storms.push(await storm(setting, { environment, how, size }));
      }
      return { bench: 'alerts', machine: describeMachine(), series, storms };
    },
    intakeEnvironment,
  );
}

/** Sent by the clock, whether or not those before are answered: a slow intake must not slow its own load down. */
async function measure(setting: Setting, environments: string[], perSecond: number): Promise<AlertsSeries> {
  const { endpoints, client, interrupted } = setting;
  const loadBefore = await measureLoad();
  const started = performance.now();
  const posts: Promise<Posted>[] = [];
  let loadDuring: Promise<MachineLoad> | undefined;
  for (const [index, environment] of environments.entries()) {
    await delay(Math.max(0, started + (index * 1000) / perSecond - performance.now()));
    interrupted.throwIfAborted();
    const posted = post(endpoints, [alertOf(environment)]);
    // Its error comes when it is awaited, not as one that nobody handles.
    posted.catch(() => undefined);
    posts.push(posted);
    if (index === Math.floor(environments.length / 2)) loadDuring = measureLoad();
  }
  const answers = await Promise.all(posts);
  const samples: AlertSample[] = [];
  await eachOf([...environments.entries()], 2, interrupted, async ([index, environment]) => {
    const { sentAt, answeredMs, ok } = answers[index]!;
    if (!ok) throw new Error(`the alert of ${environment} was refused`);
    samples.push({ environment, answeredMs, ...(await remedyOf(client, environment, sentAt)) });
  });
  const of = (pick: (sample: AlertSample) => number) => summarize(samples.map(pick));
  const median = (phase: keyof AlertPhases): number => rounded(of(({ phases }) => phases[phase])?.p50 ?? Number.NaN);
  return {
    perSecond,
    loadBefore,
    loadDuring: await loadDuring!,
    remedyMs: of(({ remedyMs }) => remedyMs),
    answeredMs: of(({ answeredMs }) => answeredMs),
    phasesP50: {
      opened: median('opened'),
      remedyBegun: median('remedyBegun'),
      actionStarted: median('actionStarted'),
    },
    samples,
  };
}

/** Waits until the remedy of an incident is over, and reads what happened when. */
async function remedyOf(
  client: Client,
  environment: string,
  sentAt: number,
): Promise<Pick<AlertSample, 'remedyMs' | 'phases'>> {
  const incident = `incident/${SYSTEM}/${environment}/${SERVICE}`;
  const remedy = `${incident}/remedy`;
  await waitFor(
    `the end of ${remedy}`,
    async () => {
      const { status, startTime } = await client.workflow.getHandle(remedy).describe();
      // An earlier bench had one of the same id.
      return status.name !== 'RUNNING' && startTime.getTime() >= sentAt - 1;
    },
    { timeoutSeconds: 300, everyMs: 200 },
  );
  const events = await eventsOf(client, remedy);
  const scheduled = events.find(
    ({ activityTaskScheduledEventAttributes: activity }) => activity?.activityType?.name === 'runAction',
  );
  const started = events.find(
    ({ activityTaskStartedEventAttributes: activity }) =>
      activity && scheduled && String(activity.scheduledEventId) === String(scheduled.eventId),
  );
  if (!started) throw new Error(`${remedy} ended without an action; see its history`);
  const [openedAt, begunAt, actionAt] = [(await eventsOf(client, incident))[0]!, events[0]!, started].map(timeOf) as [
    number,
    number,
    number,
  ];
  return {
    remedyMs: rounded(actionAt - sentAt, 2),
    phases: { opened: openedAt - sentAt, remedyBegun: begunAt - openedAt, actionStarted: actionAt - begunAt },
  };
}
