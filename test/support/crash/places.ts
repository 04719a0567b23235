import type { Call, Side, Strike } from './calls.ts';

/** Where a worker is killed: on one side of one call. */
export interface Place {
  call: Call;
  side: Side;
}

/** More would save little: what a kill costs is mostly the start of the next worker. */
const KILLS_OF_A_RUN = 6;

export const bothSidesOf = (call: Call): Place[] => [
  { call, side: 'before' },
  { call, side: 'after' },
];

export const describePlace = ({ side, call }: Place): string => `${side} ${call.key} ${call.ordinal}`;

/**
 * Spreads the places of a scenario over runs, those of one run far from each other. Of one kind of call a run has one
 * place: a new worker counts from its own start, and which of two calls is made again could not be told.
 * @param places in the order in which the undisturbed run comes to them
 * @returns runs, the places of each in that order
 */
export function spreadOverRuns(places: Place[], most = KILLS_OF_A_RUN): Place[][] {
  const runs: Place[][] = Array.from({ length: Math.ceil(places.length / most) }, () => []);
  for (const [index, place] of places.entries()) {
    const takes = (run: Place[]): boolean => run.length < most && run.every(({ call }) => call.key !== place.call.key);
    const first = index % runs.length;
    const run = [...runs.slice(first), ...runs.slice(0, first)].find(takes);
    if (run) run.push(place);
    else runs.push([place]);
  }
  return runs;
}

/**
 * The orders for a run. A worker counts its calls from its own start: what was done before its predecessor was killed is
 * not among them.
 * @param places in order
 * @param points the calls of the undisturbed run, in order
 */
export function strikesAt(places: Place[], points: Call[]): Strike[] {
  return places.map(({ call, side }, index) => {
    const last = places[index - 1]?.call;
    const killed = points.findIndex((point) => point.key === last?.key && point.ordinal === last.ordinal);
    const done = points.slice(0, Math.max(0, killed)).filter(({ key }) => key === call.key);
    return { call: { key: call.key, ordinal: call.ordinal - done.length }, side, signal: 'SIGKILL' };
  });
}
