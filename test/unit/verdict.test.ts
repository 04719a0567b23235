import type { CatalogMetric } from '../../src/contracts/catalog.ts';
import type { Measurement } from '../../src/domain/release/analysis-types.ts';
import { judgeRounds } from '../../src/domain/release/verdict.ts';

const errors: CatalogMetric = {
  name: 'errors',
  query: 'q',
  unit: '',
  max: 0.01,
  failureLimit: 2,
  samples: { query: 's', min: 20 },
};
const ready: CatalogMetric = { name: 'ready', query: 'q', unit: '', min: 2, failureLimit: 1 };
const at = (value: number | undefined, samples = 100): Measurement => ({
  metric: 'errors',
  ...(value === undefined ? {} : { value }),
  samples,
});
const rounds = (...measured: Measurement[]): Measurement[][] => measured.map((each) => [each]);

describe('the verdict of a soak', () => {
  test.each<[string, Measurement[], string, boolean]>([
    ['passes when every measurement is in target', [at(0), at(0.01)], 'Pass', false],
    ['fails when a metric misses its target as often in a row as its limit', [at(0), at(0.5), at(0.5)], 'Fail', false],
    ['is not settled while a failing streak is below its limit', [at(0), at(0.5)], 'Pass', true],
    ['forgives a single miss that did not repeat', [at(0.5), at(0), at(0)], 'Pass', false],
    ['is inconclusive when there was never any data', [at(undefined), at(undefined)], 'Inconclusive', false],
    ['is inconclusive when there were never enough requests', [at(0, 3), at(0, 19)], 'Inconclusive', false],
    ['does not fail on a ratio of too few requests', [at(0), at(1, 2), at(1, 2)], 'Pass', false],
    [
      'is an error when the metric could not be asked five times in a row',
      Array<Measurement>(5).fill({ metric: 'errors', error: 'refused' }),
      'Error',
      false,
    ],
    [
      'is inconclusive while it could not be asked only a few times',
      [{ metric: 'errors', error: 'refused' }],
      'Inconclusive',
      false,
    ],
    ['treats NaN, the ratio without traffic, as missing', [at(NaN)], 'Inconclusive', false],
  ])('%s', (_sentence, series, verdict, unsettled) => {
    const judged = judgeRounds([errors], rounds(...series));
    expect(judged).toMatchObject({ verdict, unsettled });
    expect(judged.reasons.length > 0).toBe(verdict !== 'Pass');
  });

  test('is the worst of its metrics, and says what each missed', () => {
    const judged = judgeRounds([errors, ready], [[at(undefined), { metric: 'ready', value: 1 }]]);
    expect(judged.verdict).toBe('Fail');
    expect(judged.reasons.join()).toContain('ready is 1, expected at least 2');
    expect(judged.reasons.join()).toContain('errors has no data');
  });

  test('passes where the catalog asks for no metrics', () => {
    expect(judgeRounds([], [[]])).toEqual({ verdict: 'Pass', reasons: [], unsettled: false });
  });
});
