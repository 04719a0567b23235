import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rmSync } from 'node:fs';
import { connectBench, type Bench } from '../support/crash/bench.ts';
import { readCalls, type CallLine } from '../support/crash/calls.ts';
import { writeCatalog } from '../support/crash/catalog.ts';
import { compareTraces, type Difference } from '../support/crash/compare.ts';
import { outageOf, type Victim } from '../support/crash/outage.ts';
import { runScenario, type Run } from '../support/crash/run.ts';
import { SCENARIOS } from '../support/crash/scenarios.ts';
import { adopted } from '../support/crash/setting.ts';
import { prepareStage } from '../support/crash/stage.ts';
import { superviseWorker, type StruckWorker } from '../support/crash/worker.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';

const MINUTE = 60_000;
const DEAD_FOR_MS = 3000;
const name = `crash-o${Date.now().toString(36).slice(-5)}`;
const environments = [0, 1, 2, 3].map((index) => `${name}-${index}`);
const release = SCENARIOS.find((scenario) => scenario.name === 'a release')!;

let bench: Bench;
let worker: StruckWorker;
let systems: string;
let undisturbed: Run;

const run = async (environment: string, meanwhile?: () => Promise<void>): Promise<Run> =>
  runScenario(bench, worker, {
    scenario: release,
    stage: await prepareStage(bench, environment, adopted),
    ...(meanwhile ? { meanwhile } : {}),
  });

const METHODS: Record<string, string> = { create: 'POST', patch: 'PATCH', delete: 'DELETE' };

/**
 * An API server that is killed may have done what it was asked last and have no line of it in its audit log. Then the
 * worker had no answer, and the state, which is compared as well, shows what was done.
 */
function isUnlogged({ kind, text }: Difference, calls: CallLine[]): boolean {
  const [, verb = '', resource, name] = /^0 times instead of 1: (\w+) ([^/\s]+)\/(\S+)/.exec(text) ?? [];
  const call = `${METHODS[verb]} ${resource}${verb === 'create' ? '' : `/${name}`}`;
  return kind === 'missing' && calls.some(({ key, outcome }) => outcome === 'failed' && key.endsWith(` ${call}`));
}

beforeAll(async () => {
  bench = await connectBench(name);
  systems = writeCatalog(bench.endpoints, environments);
  worker = await superviseWorker({ taskQueue: name, systems, slackUrl: bench.slackUrl });
  undisturbed = await run(environments[0]!);
}, 3 * MINUTE);

afterAll(async () => {
  await worker?.stop();
  if (systems) rmSync(systems, { recursive: true });
  await bench?.close();
});

test.each<[Victim[], string]>([
  [['temporal'], environments[1]!],
  [['kube-apiserver'], environments[2]!],
  [['temporal', 'kube-apiserver'], environments[3]!],
])(
  'a release in the middle of which %j is killed and started again ends as undisturbed',
  async (victims, environment) => {
    const disturbed = await run(environment, async () => {
      await waitFor('the new color', async () => readCalls(worker.folder).some(isCreated), { timeoutSeconds: 60 });
      await outageOf(victims, DEAD_FOR_MS);
    });
    expect(disturbed.traces.outcome).toContain('released');
    const differences = compareTraces(undisturbed.traces, disturbed.traces);
    expect(differences.filter((each) => !isUnlogged(each, disturbed.calls))).toEqual([]);
    expect(disturbed.tookMs).toBeGreaterThan(DEAD_FOR_MS);
  },
  4 * MINUTE,
);

const isCreated = ({ key, outcome }: { key: string; outcome: unknown }): boolean =>
  key === 'createColor POST deployments' && outcome === 201;
