import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectBench, type Bench } from '../support/crash/bench.ts';
import { runMatrix, type Cell, type Matrix } from '../support/crash/matrix.ts';
import { bothSidesOf, describePlace } from '../support/crash/places.ts';
import { faultsOf, renderMatrix } from '../support/crash/report.ts';
import { SCENARIOS } from '../support/crash/scenarios.ts';

// Runs mostly wait for timeouts of what was killed: more of them at once than there are cores. Many more would make a
// new worker so slow to start that what must be back in time is not.
const SHARDS = Number(process.env['WINDLASS_CRASH_SHARDS'] ?? 6);
/** Names of scenarios to run, for work on one of them; all by default. */
const ONLY = new RegExp(process.env['WINDLASS_CRASH_ONLY'] ?? '');
const HOUR = 3_600_000;

const chosen = SCENARIOS.filter(({ name }) => ONLY.test(name));
const name = `crash-${Date.now().toString(36).slice(-5)}`;
let bench: Bench;
let matrix: Matrix;

beforeAll(async () => {
  bench = await connectBench(name);
  const onProgress = (line: string) => void process.stderr.write(`  ${line}\n`);
  matrix = await runMatrix(bench, { scenarios: chosen, shards: SHARDS, name, onProgress });
  process.stderr.write(`\n${renderMatrix(matrix)}`);
}, HOUR);

afterAll(() => bench?.close());

describe.each(chosen)('$name', ({ name: scenario, ends, servedBy }) => {
  const cells = (): Cell[] => matrix.cells.filter((cell) => cell.scenario === scenario);
  const recorded = () => matrix.recordings.find((recording) => recording.scenario.name === scenario)!;
  const differing = (...kinds: string[]): string[] =>
    cells()
      .filter(({ differences }) => differences.some(({ kind }) => kinds.includes(kind)))
      .flatMap((cell) => faultsOf(cell));

  test('ends undisturbed as it should, and nobody loses a request', () => {
    const { traces, requests } = recorded().run;
    expect(traces.outcome).toContain(ends);
    expect(traces.servedBy).toEqual(servedBy);
    expect(traces.failedRequests).toEqual([]);
    expect(requests).toBeGreaterThan(0);
  });

  test('makes no change that is not a point of the matrix', () => {
    expect(recorded().points.length).toBeGreaterThan(0);
    expect(recorded().run.unseen).toEqual([]);
    const { recoveries } = recorded();
    const strange = ({ unseen, unknownCalls }: Cell) => [
      ...unseen,
      ...unknownCalls.map(({ key }) => key).filter((key) => !recoveries.includes(key)),
    ];
    expect(cells().flatMap(strange)).toEqual([]);
  });

  test('is killed before and after every mutating call that no other course makes alike', () => {
    const { points, shared, recoveries } = recorded();
    const expected = [...points.slice(shared), ...recoveries.map((key) => ({ key, ordinal: 1 }))].flatMap(bothSidesOf);
    const reached = cells().flatMap(({ places, struck }) => places.slice(0, struck));
    const missed = expected.map(describePlace).filter((place) => !reached.map(describePlace).includes(place));
    expect(missed).toEqual([]);
    expect(cells().flatMap(({ error }) => error ?? [])).toEqual([]);
  });

  test('ends in the same state wherever it was killed', () => {
    expect(differing('outcome', 'state')).toEqual([]);
  });

  test('takes every state-changing effect exactly once', () => {
    expect(differing('doubled', 'foreign', 'missing')).toEqual([]);
  });

  test('tells people at least once', () => {
    expect(recorded().run.traces.notices.length).toBeGreaterThan(0);
    expect(differing('notice')).toEqual([]);
  });

  test('loses no traffic', () => {
    expect(differing('traffic')).toEqual([]);
  });
});
