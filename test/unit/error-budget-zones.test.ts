import fc from 'fast-check';
import { burnRate, remainingPercent } from '../../src/domain/budget/measure.ts';
import { isWorse, nextZone, worstOf, ZONES, type ZoneState } from '../../src/domain/budget/zone.ts';
import { LIMITS, MINUTE } from '../support/budget.ts';

describe('an error budget', () => {
  test.each([
    [0, 99.9, 100, 0],
    [0.0005, 99.9, 50, 0.5],
    [0.001, 99.9, 0, 1],
    [0.003, 99.9, -200, 3],
    [0.005, 99, 50, 0.5],
  ])('with %d bad at an objective of %d %% has %d %% left and burns at %d', (ratio, objective, left, rate) => {
    expect(remainingPercent(ratio, objective)).toBeCloseTo(left, 1);
    expect(burnRate(ratio, objective)).toBeCloseTo(rate, 1);
  });

  test('is never rounded up to a limit that was not reached', () => {
    expect(remainingPercent(0.0004000001, 99.9)).toBeLessThan(60);
  });
});

const zoneAfter = (...steps: [minute: number, remaining: number | undefined][]): ZoneState =>
  steps.reduce<ZoneState | undefined>(
    (former, [minute, remaining]) => nextZone(former, remaining, LIMITS, minute * MINUTE),
    undefined,
  )!;

describe('a zone', () => {
  test.each<[string, [number, number | undefined][], string, number]>([
    ['begins where the first measurement is', [[1, 100]], 'green', 1],
    ['begins yellow when less than half is left', [[1, 49.9]], 'yellow', 1],
    ['is green at the limit itself', [[1, 50]], 'green', 1],
    ['becomes worse at once', [[1, 100], [2, 9]], 'red', 2], // prettier-ignore
    ['stays yellow between its limits', [[1, 49], [2, 59], [99, 59]], 'yellow', 1], // prettier-ignore
    ['stays yellow until the hold time is over', [[1, 49], [2, 60], [31, 70]], 'yellow', 1], // prettier-ignore
    ['becomes green when it was better for the hold time', [[1, 49], [2, 60], [32, 70]], 'green', 32], // prettier-ignore
    ['holds anew after one measurement that was not better', [[1, 49], [2, 60], [20, 59], [21, 60], [40, 60]], 'yellow', 1], // prettier-ignore
    ['goes from red to yellow', [[1, 9], [2, 20], [32, 59]], 'yellow', 32], // prettier-ignore
    ['goes from red to green when green was measured throughout', [[1, 9], [2, 60], [32, 61]], 'green', 32], // prettier-ignore
    ['goes from red to the worst of what was measured meanwhile', [[1, 9], [2, 60], [10, 30], [32, 61]], 'yellow', 32], // prettier-ignore
    ['stays when it cannot be measured', [[1, 9], [2, undefined], [999, undefined]], 'red', 1], // prettier-ignore
    ['holds anew after a time that was not measured', [[1, 9], [2, 60], [20, undefined], [32, 61]], 'red', 1], // prettier-ignore
    ['is unknown, neither green nor red, before anything was measured', [[1, undefined], [2, undefined]], 'unknown', 1], // prettier-ignore
    ['begins once it is measured', [[1, undefined], [2, 49]], 'yellow', 2], // prettier-ignore
  ])('%s', (_, steps, zone, since) => {
    expect(zoneAfter(...steps)).toMatchObject({ zone, since: since * MINUTE });
  });

  test('of several objectives is the worst', () => {
    expect(worstOf(['green', 'red', 'yellow'])).toBe('red');
    expect(worstOf(['green', 'unknown'])).toBe('unknown');
    expect(worstOf([])).toBe('unknown');
  });
});

const remaining = fc.option(fc.double({ min: -300, max: 100, noNaN: true }), { nil: undefined, freq: 6 });
const gaps = fc.integer({ min: 1, max: 40 });
const series = fc.array(fc.tuple(gaps, remaining), { minLength: 1, maxLength: 60 });
/** Every state of a series. */
function follow(
  steps: [gap: number, remaining: number | undefined][],
): { at: number; state: ZoneState; left: number | undefined }[] {
  let former: ZoneState | undefined;
  let at = 0;
  return steps.map(([gap, left]) => {
    at += gap * MINUTE;
    former = nextZone(former, left, LIMITS, at);
    return { at, state: former, left };
  });
}

describe('whatever is measured', () => {
  test('a budget that moves only within the band of a zone never changes it', () => {
    const inBand = (below: number, returnsAt: number) =>
      fc.array(fc.tuple(gaps, fc.double({ min: below, max: returnsAt - 0.001, noNaN: true })), { maxLength: 40 });
    const { yellow, red } = LIMITS;
    fc.assert(
      fc.property(inBand(yellow.below, yellow.returnsAt), inBand(red.below, red.returnsAt), (ofYellow, ofRed) => {
        const inYellow = follow([[1, yellow.below - 1], ...ofYellow]);
        const inRed = follow([[1, red.below - 1], ...ofRed]);
        return (
          inYellow.every(({ state }) => state.zone === 'yellow' && state.since === MINUTE) &&
          inRed.every(({ state }) => state.zone === 'red' && state.since === MINUTE)
        );
      }),
    );
  });

  test('it never becomes better before the hold time, nor by what was not measured', () => {
    fc.assert(
      fc.property(series, (steps) =>
        follow(steps).every(({ at, state, left }, index, all) => {
          const before = all[index - 1]?.state;
          if (!before || before.zone === 'unknown' || !isWorse(before.zone, state.zone)) return true;
          return left !== undefined && at - before.since >= LIMITS.holdMs && before.better !== undefined;
        }),
      ),
    );
  });

  test('less that is left is never judged better', () => {
    fc.assert(
      fc.property(
        series,
        fc.double({ min: -300, max: 100, noNaN: true }),
        fc.double({ min: 0, max: 400, noNaN: true }),
        gaps,
        (steps, left, less, gap) => {
          const { state, at } = follow(steps).at(-1)!;
          const then = at + gap * MINUTE;
          const more = nextZone(state, left, LIMITS, then);
          return !isWorse(more.zone, nextZone(state, left - less, LIMITS, then).zone);
        },
      ),
    );
  });

  test('a zone below whose limit it is entered at once', () => {
    fc.assert(
      fc.property(series, (steps) =>
        follow(steps).every(({ state, left }) => {
          if (left === undefined) return true;
          if (left < LIMITS.red.below) return state.zone === 'red';
          return left >= LIMITS.yellow.below || isWorse(state.zone, 'green');
        }),
      ),
    );
  });

  test('unknown is left by the first measurement and never entered again', () => {
    fc.assert(
      fc.property(series, (steps) => {
        const first = steps.findIndex(([, left]) => left !== undefined);
        return follow(steps).every(
          ({ state }, index) =>
            (state.zone === 'unknown') === (first < 0 || index < first) && ZONES.includes(state.zone),
        );
      }),
    );
  });
});
