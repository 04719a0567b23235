import { expect, test } from '@jest/globals';
import { bothSidesOf, describePlace, spreadOverRuns, strikesAt } from '../support/crash/places.ts';

const call = (key: string, ordinal = 1) => ({ key, ordinal });
const POINTS = [call('a'), call('b'), call('a', 2), call('c'), call('d'), call('a', 3), call('e')];
const places = POINTS.flatMap(bothSidesOf);

test('every place is in exactly one run, in order, and no run has two of one kind of call', () => {
  const runs = spreadOverRuns(places, 3);
  expect(runs.flat().map(describePlace).sort()).toEqual(places.map(describePlace).sort());
  for (const run of runs) {
    expect(run.length).toBeGreaterThan(0);
    expect(run.map((place) => places.indexOf(place))).toEqual(
      run.map((place) => places.indexOf(place)).sort((a, b) => a - b),
    );
    expect(new Set(run.map(({ call: { key } }) => key)).size).toBe(run.length);
  }
});

test('the places of a run are far from each other', () => {
  const all = Array.from({ length: 9 }, (_, index) => call(`call-${index}`)).flatMap(bothSidesOf);
  expect(spreadOverRuns(all, 3).map((run) => run.map((place) => all.indexOf(place)))).toEqual([
    [0, 6, 12],
    [1, 7, 13],
    [2, 8, 14],
    [3, 9, 15],
    [4, 10, 16],
    [5, 11, 17],
  ]);
});

test('no places take no run, and what cannot share one gets its own', () => {
  expect(spreadOverRuns([])).toEqual([]);
  expect(spreadOverRuns(bothSidesOf(call('a')))).toHaveLength(2);
});

test('a new worker counts from its own start: calls before the last kill are not its', () => {
  const at = (index: number, side: 'before' | 'after') => ({ call: POINTS[index]!, side });
  expect(strikesAt([at(1, 'after'), at(5, 'before'), at(6, 'after')], POINTS)).toEqual([
    { call: call('b'), side: 'after', signal: 'SIGKILL' },
    { call: call('a', 2), side: 'before', signal: 'SIGKILL' },
    { call: call('e'), side: 'after', signal: 'SIGKILL' },
  ]);
  expect(strikesAt([at(5, 'before')], POINTS)).toEqual([{ call: call('a', 3), side: 'before', signal: 'SIGKILL' }]);
});

test('a call that only a recovery makes is the first of its kind, in the process of the recovery', () => {
  const recovery = { call: call('abort'), side: 'before' as const };
  expect(strikesAt([{ call: POINTS[3]!, side: 'after' }, recovery], POINTS).at(-1)).toEqual({
    call: call('abort'),
    side: 'before',
    signal: 'SIGKILL',
  });
});
