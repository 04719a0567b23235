import { defineSearchAttributeKey } from '@temporalio/common';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rmSync } from 'node:fs';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { verifyAudit, type Verification } from '../../src/audit/verify.ts';
import { createAuditWorld, type AuditWorld } from '../support/audit-world.ts';
import { connectBench, type Bench } from '../support/crash/bench.ts';
import {
  changesOf,
  giveOrders,
  normalize,
  readCalls,
  strikesDone,
  type Side,
  type Strike,
} from '../support/crash/calls.ts';
import { SYSTEM, writeCatalog } from '../support/crash/catalog.ts';
import { outcomeOf } from '../support/crash/outcome.ts';
import { superviseWorker, type StruckWorker } from '../support/crash/worker.ts';

// The audit's own procedures change no environment, so they are no lines of the matrix: `reconcileAudit` finds two runs that were
// terminated, its child `exportAudit` writes them, and the worker is killed around each kind of change of both.
const WORKERS = 3;
const MINUTE = 60_000;
const name = `crash-a${Date.now().toString(36).slice(-5)}`;
let bench: Bench;
let world: AuditWorld;
let undisturbed: Trace;
const cells: (Trace & { at: string; struck: boolean })[] = [];

interface Trace {
  /** How it ended. */
  outcome: string;
  /** Records of the chain in the database, in order. */
  records: string[];
  /** Objects, each with its number of versions. */
  objects: string[];
  /** What is checked off-system. */
  verified: Verification;
  calls: string[];
}

beforeAll(async () => {
  bench = await connectBench(name);
  world = await createAuditWorld();
  await world.beginNow();
  // The first one bundles the workflows if they have changed; the others find the bundle.
  const workers = [await startStruck(0)];
  workers.push(...(await Promise.all(Array.from({ length: WORKERS - 1 }, (_, index) => startStruck(index + 1)))));
  try {
    undisturbed = await carryOut(workers[0]!.worker, `${name}-0`);
    const points = kindsOf(undisturbed.calls).flatMap((key) =>
      (['before', 'after'] as const).map((side) => ({ key, side })),
    );
    let next = 0;
    const work = async ({ worker }: { worker: StruckWorker }): Promise<void> => {
      for (let at = next++; at < points.length; at = next++) {
        const { key, side } = points[at]!;
        const strike: Strike = { call: { key, ordinal: 1 }, side, signal: 'SIGKILL' };
        const trace = await carryOut(worker, `${name}-${at + 1}`, strike);
        cells.push({ ...trace, at: `${side} ${key}`, struck: strikesDone(worker.folder) === 1 });
      }
    };
    await Promise.all(workers.map(work));
  } finally {
    await Promise.all(workers.map(({ worker }) => worker.stop()));
    for (const { systems } of workers) rmSync(systems, { recursive: true });
  }
}, 10 * MINUTE);

afterAll(async () => {
  await world?.remove();
  await bench?.close();
});

async function startStruck(index: number): Promise<{ worker: StruckWorker; systems: string }> {
  const taskQueue = `${name}-worker-${index}`;
  const systems = writeCatalog(bench.endpoints, [taskQueue]);
  const worker = await superviseWorker({
    ...{ taskQueue, systems, slackUrl: bench.slackUrl },
    env: {
      ...{ CRASH_AUDIT_URL: world.urls.writer, WINDLASS_AUDIT_DATABASE: 'env:CRASH_AUDIT_URL' },
      ...{ WINDLASS_AUDIT_PREFIX: world.prefix, WINDLASS_AUDIT_LOCK: 'governance', WINDLASS_AUDIT_RETENTION: '1m' },
      WINDLASS_AUDIT_EVERY: 'off',
    },
  });
  return { worker, systems };
}

/** A run that was terminated before any worker saw it. */
async function terminated(environment: string, version: string): Promise<void> {
  const place = { OpsSystem: SYSTEM, OpsEnvironment: environment };
  const handle = await bench.client.workflow.start('deployRelease', {
    workflowId: `deploy/${SYSTEM}/${environment}/${version}`,
    taskQueue: `${name}-nobody`,
    args: [{ system: SYSTEM, environment, service: 'shop', image: `shop:${version}`, requestedBy: 'ana' }],
    typedSearchAttributes: Object.entries(place).map(([key, value]) => ({
      key: defineSearchAttributeKey(key, 'KEYWORD'),
      value,
    })),
  });
  await handle.terminate('crash matrix');
}

async function carryOut(worker: StruckWorker, environment: string, strike?: Strike): Promise<Trace> {
  await terminated(environment, 'v1');
  await terminated(environment, 'v2');
  const query = `OpsEnvironment = "${environment}" AND ExecutionStatus = "Terminated"`;
  await waitFor('both runs', async () => (await bench.client.workflow.count(query)).count === 2, {
    timeoutSeconds: 30,
  });
  giveOrders(worker.folder, { environment, strikes: strike ? [strike] : [] });
  const handle = await bench.client.workflow.start('reconcileAudit', {
    workflowId: `audit-reconcile/${environment}`,
    taskQueue: worker.taskQueue,
    args: [{ system: SYSTEM, environment }],
  });
  const outcome = await outcomeOf(handle);
  const place = { system: SYSTEM, environment };
  const deps = world.dependencies(bench.client);
  const writer = await world.asWriter();
  const { rows } = await writer
    .query<{ line: string }>(
      'SELECT line FROM windlass_audit.records WHERE system = $1 AND environment = $2 ORDER BY sequence',
      [SYSTEM, environment],
    )
    .finally(() => writer.end());
  const { objects } = await world.act(deps, 'listAudit', { ask: 'list', ...place });
  const { texts } = await world.act(deps, 'readAuditObjects', { ask: 'read', objects, offset: 0 });
  const of = (folder: string) => texts.filter(({ file }) => file.includes(`/${folder}/`));
  return {
    outcome,
    records: rows.map(({ line }) => {
      const { sequence, kind, what, outcome: came, workflowId } = JSON.parse(line) as Record<string, string>;
      return normalize(`${sequence} ${workflowId} ${kind} ${what} ${came}`, environment);
    }),
    objects: await bench.evidence(environment),
    verified: verifyAudit(of('segments'), of('anchors')),
    calls: changesOf(readCalls(worker.folder))
      .filter((call) => call.environment === environment)
      .map(({ key }) => key),
  };
}

/** The first of each kind: the second segment goes the way of the first. */
const kindsOf = (calls: string[]): string[] => {
  const kinds = new Map<string, string>();
  for (const key of [...calls].reverse()) kinds.set(key.replace(/\d{8}/, ''), key);
  return [...kinds.values()];
};

/** What a cell has otherwise than the undisturbed run. */
const differing = <T>(part: (trace: Trace) => T): [string, T][] =>
  cells
    .filter((cell) => JSON.stringify(part(cell)) !== JSON.stringify(part(undisturbed)))
    .map((cell) => [cell.at, part(cell)]);

test('undisturbed, both runs are in the database and in the object store, once', () => {
  expect(undisturbed.outcome).toContain('"exported":2');
  expect(undisturbed.records).toHaveLength(4);
  expect(undisturbed.objects).toHaveLength(4);
  expect(undisturbed.objects.every((each) => each.endsWith(': 1 version(s)'))).toBe(true);
  expect(undisturbed.verified).toMatchObject({ findings: [], chains: [{ records: 4, segments: 2, anchors: 2 }] });
});

test('the worker is killed before and after each kind of change: the records, the segment, its anchor, the note of both', () => {
  const sides: Side[] = ['before', 'after'];
  expect(kindsOf(undisturbed.calls)).toHaveLength(4);
  expect(cells.map(({ at }) => at).sort()).toEqual(
    kindsOf(undisturbed.calls)
      .flatMap((key) => sides.map((side) => `${side} ${key}`))
      .sort(),
  );
  expect(cells.filter(({ struck }) => !struck)).toEqual([]);
});

test('wherever it was killed, the chain has the same records in the same order, and every object one version', () => {
  expect(cells.filter(({ outcome }) => !outcome.startsWith('{"exported":'))).toEqual([]);
  expect(differing(({ records }) => records)).toEqual([]);
  expect(differing(({ objects }) => objects)).toEqual([]);
});

test('wherever it was killed, what was written verifies off-system', () => {
  expect(cells.flatMap(({ verified }) => verified.findings)).toEqual([]);
  expect(differing(({ verified }) => verified.chains.map(({ records, segments, anchors }) => [records, segments, anchors]))).toEqual([]); // prettier-ignore
});
