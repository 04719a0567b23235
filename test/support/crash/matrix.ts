import { rmSync } from 'node:fs';
import type { Bench } from './bench.ts';
import { changesOf, type Call, type CallLine } from './calls.ts';
import { writeCatalog } from './catalog.ts';
import { compareTraces, type Difference } from './compare.ts';
import type { DatabaseSetting } from './databases.ts';
import { bothSidesOf, describePlace, spreadOverRuns, strikesAt, type Place } from './places.ts';
import { faultsOf } from './report.ts';
import { runScenario, type Run } from './run.ts';
import type { Scenario } from './scenarios.ts';
import { copyOf, type Setting } from './setting.ts';
import { prepareStage, type Stage } from './stage.ts';
import { superviseWorker, type StruckWorker } from './worker.ts';

/** One disturbed run: the worker was killed at some places. */
export interface Cell {
  scenario: string;
  /** In order. */
  places: Place[];
  /** How many of them the run came to. */
  struck: number;
  differences: Difference[];
  /** Kinds of mutating calls that the undisturbed run does not have: nobody has tried to kill the worker there. */
  unknownCalls: UnknownCall[];
  unseen: string[];
  requests: number;
  tookMs: number;
  /** The run could not be carried out at all. */
  error?: string;
}

export interface UnknownCall {
  key: string;
  /** The kills before it, which brought it about. */
  after: Place[];
}

export interface Recording {
  scenario: Scenario;
  run: Run;
  /** Every mutating call of the undisturbed run. */
  points: Call[];
  /**
   * The first so many points are those of another course of the same procedure: up to there the two do the same, so
   * they are disturbed there once, in the other.
   */
  shared: number;
  /** Kinds of calls that only its recoveries make. */
  recoveries: string[];
}

export interface Matrix {
  recordings: Recording[];
  cells: Cell[];
  tookMs: number;
}

export interface MatrixOptions {
  scenarios: Scenario[];
  /** Workers at once, each with its own task queue; every run has its own namespace and change control. */
  shards: number;
  /** Part of every name, so that two matrices do not meet. */
  name: string;
  onProgress: (line: string) => void;
}

/** A worker and its catalog, which has the environment of the run that is under way: a small one is read quickly. */
interface Shard {
  worker: StruckWorker;
  systems: string;
}

/** Records every scenario undisturbed, then repeats it with the worker killed, until each mutating call was struck on both sides. */
export async function runMatrix(bench: Bench, { scenarios, shards, name, onProgress }: MatrixOptions): Promise<Matrix> {
  const started = Date.now();
  const supervise = async (index: number): Promise<Shard> => {
    const taskQueue = `${name}-shard-${index}`;
    const systems = writeCatalog(bench.endpoints, [taskQueue]);
    return { systems, worker: await superviseWorker({ taskQueue, systems, slackUrl: bench.slackUrl }) };
  };
  // The first one bundles the workflows if they have changed; the others find the bundle.
  const all = [await supervise(0)];
  all.push(...(await Promise.all(Array.from({ length: shards - 1 }, (_, index) => supervise(index + 1)))));
  let used = 0;
  const prepare = (setting: Setting, database?: DatabaseSetting): Promise<Stage> =>
    prepareStage(bench, `${name}-${used++}`, setting, database);
  /** While a shard runs one job, the pods of its next one start. What a job brings about comes before those that wait. */
  const spread = async <Job extends { scenario: Scenario; setting: Setting }>(
    jobs: Job[],
    carryOut: (worker: StruckWorker, job: Job, stage: Stage) => Promise<Job[]>,
  ): Promise<void> => {
    const left = [...jobs];
    const next = () => {
      const job = left.shift();
      return job && { job, stage: prepare(job.setting, job.scenario.database).catch((error: Error) => error) };
    };
    await Promise.all(
      all.map(async ({ worker, systems }) => {
        for (let now = next(); now; now ??= next()) {
          const stage = await now.stage;
          if (stage instanceof Error) throw stage;
          const { job } = now;
          now = next();
          writeCatalog(bench.endpoints, [stage.environment], { folder: systems });
          left.unshift(...(await carryOut(worker, job, stage)));
        }
      }),
    );
  };

  try {
    const recordings: Recording[] = [];
    const record = async (worker: StruckWorker, { scenario }: { scenario: Scenario }, stage: Stage) => {
      const run = await runScenario(bench, worker, { scenario, stage });
      const points = changesOf(run.calls).map(({ key, ordinal }) => ({ key, ordinal }));
      // Nothing follows from disturbing what does not work undisturbed.
      if (!run.traces.outcome.includes(scenario.ends))
        throw new Error(`${scenario.name}: expected ${scenario.ends}, got ${run.traces.outcome}`);
      recordings.push({ scenario, run, points, shared: 0, recoveries: [] });
      onProgress(`recorded ${scenario.name}: ${points.length} mutating calls, ${run.traces.outcome.slice(0, 60)}`);
      return [];
    };
    const settingOf = ({ begins, name: of }: Scenario): Setting => {
      if (typeof begins === 'function') return begins;
      const before = recordings.find(({ scenario }) => scenario.name === begins.after);
      if (!before) throw new Error(`${of} begins after ${begins.after}, which was not recorded`);
      const setting = copyOf(before.run.objects, before.run.environment);
      return begins.but ? begins.but(setting) : setting;
    };
    const first = scenarios.filter(({ begins }) => typeof begins === 'function');
    await spread(
      first.map((scenario) => ({ scenario, setting: settingOf(scenario) })),
      record,
    );
    const rest = scenarios.filter((scenario) => !first.includes(scenario));
    await spread(
      rest.map((scenario) => ({ scenario, setting: settingOf(scenario) })),
      record,
    );

    recordings.sort((one, other) => scenarios.indexOf(one.scenario) - scenarios.indexOf(other.scenario));
    for (const [index, recording] of recordings.entries())
      recording.shared = Math.max(0, ...recordings.slice(0, index).map((earlier) => sharedBy(earlier, recording)));

    const cells: Cell[] = [];
    const jobOf = (disturbance: Disturbance) => {
      const { scenario } = disturbance.recording;
      return { disturbance, scenario, setting: settingOf(scenario) };
    };
    const planned = recordings.flatMap((recording) =>
      spreadOverRuns(recording.points.slice(recording.shared).flatMap(bothSidesOf)).map((places) => ({
        recording,
        places,
      })),
    );
    await spread(mixed(planned).map(jobOf), async (worker, { disturbance }, stage) => {
      const cell = await disturb(bench, worker, disturbance, stage);
      cells.push(cell);
      const faults = faultsOf(cell);
      const at = `${cells.length} ${cell.scenario}: ${cell.places.map(describePlace).join(', ')}`;
      onProgress(`${at}: ${faults.length === 0 ? 'same' : 'NOT the same'} (${Math.round(cell.tookMs / 1000)} s)`);
      for (const fault of faults) onProgress(`  ${fault.slice(0, 600)}`);
      return followUps(disturbance, cell).map(jobOf);
    });
    return { recordings, cells, tookMs: Date.now() - started };
  } finally {
    await Promise.all(all.map(({ worker }) => worker.stop()));
    for (const { systems } of all) rmSync(systems, { recursive: true });
  }
}

/** A run to carry out. */
interface Disturbance {
  recording: Recording;
  places: Place[];
  /** The last place is in what only a recovery does. */
  inRecovery?: true;
}

/** What a run brings about: nothing more, when it was about a recovery. */
function followUps(
  { recording, inRecovery }: Disturbance,
  { places, struck, unknownCalls, error }: Cell,
): Disturbance[] {
  if (inRecovery || error !== undefined) return [];
  // A kill may change the course of what comes after it: there, the worker is killed for itself.
  const missed = places.slice(Math.max(1, struck)).map((place) => ({ recording, places: [place] }));
  // What only a recovery does can be interrupted too: each kind of call once, after the kills that brought it about.
  const found = unknownCalls.filter(({ key }) => !recording.recoveries.includes(key));
  recording.recoveries.push(...found.map(({ key }) => key));
  const recoveries = found.flatMap(({ key, after }) =>
    bothSidesOf({ key, ordinal: 1 }).map((place) => ({
      recording,
      places: [...after, place],
      inRecovery: true as const,
    })),
  );
  return [...missed, ...recoveries];
}

/** Courses in turn: some mostly compute and some mostly wait for timeouts. */
function mixed(all: Disturbance[]): Disturbance[] {
  const courses = [...new Set(all.map(({ recording }) => recording))].map((course) =>
    all.filter(({ recording }) => recording === course),
  );
  const place = (one: Disturbance): number => {
    const course = courses.find((each) => each.includes(one))!;
    return course.indexOf(one) / course.length;
  };
  return all.map((one) => ({ one, at: place(one) })).sort((a, b) => a.at - b.at).map(({ one }) => one); // prettier-ignore
}

/** How many calls two courses of one procedure make alike before they part. */
function sharedBy(one: Recording, other: Recording): number {
  if (one.scenario.procedure !== other.scenario.procedure || one.scenario.begins !== other.scenario.begins) return 0;
  // What people decide is no call, so calls that look alike may already belong to two courses.
  if (one.scenario.decisions !== other.scenario.decisions) return 0;
  const parting = other.points.findIndex(
    ({ key, ordinal }, index) => one.points[index]?.key !== key || one.points[index]?.ordinal !== ordinal,
  );
  return parting === -1 ? other.points.length : parting;
}

async function disturb(
  bench: Bench,
  worker: StruckWorker,
  { recording, places }: Disturbance,
  stage: Stage,
): Promise<Cell> {
  const { scenario, run: undisturbed, points } = recording;
  const cell = { scenario: scenario.name, places };
  try {
    const run = await runScenario(bench, worker, { scenario, stage, strikes: strikesAt(places, points) });
    return {
      ...cell,
      struck: run.struck,
      differences: compareTraces(undisturbed.traces, run.traces),
      unknownCalls: unknownOf(run.calls, points, places),
      unseen: run.unseen,
      requests: run.requests,
      tookMs: run.tookMs,
    };
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const nothing = { struck: 0, differences: [], unknownCalls: [], unseen: [], requests: 0, tookMs: 0 };
    return { ...cell, ...nothing, error: text };
  }
}

/** Each kind of call that is no point, when it was first made: every kill began a process. */
function unknownOf(calls: CallLine[], points: Call[], places: Place[]): UnknownCall[] {
  const processes = [...new Set(calls.map(({ pid }) => pid))];
  const known = new Set(points.map(({ key }) => key));
  const first = new Map<string, Place[]>();
  for (const { key, pid } of changesOf(calls))
    if (!known.has(key) && !first.has(key)) first.set(key, places.slice(0, processes.indexOf(pid)));
  return [...first].map(([key, after]) => ({ key, after }));
}
