import type { CatalogMetric } from '../../contracts/catalog.ts';
import type { Measurement, Verdict } from './analysis-types.ts';

/** Consecutive measurements that could not be taken before the analysis itself is called broken. */
const ERROR_LIMIT = 5;

export interface Judgement {
  verdict: Exclude<Verdict, 'Interfered'>;
  /** One sentence per metric that did not pass. */
  reasons: string[];
  /** A failing streak below its limit is open: measure again before the soak may end. */
  unsettled: boolean;
}

/** One measurement against its metric. Missing data and too few samples are Inconclusive, never Pass. */
export function judgeMeasurement(metric: CatalogMetric, measured: Measurement): Judgement['verdict'] {
  if (measured.error !== undefined) return 'Error';
  if (measured.value === undefined || Number.isNaN(measured.value)) return 'Inconclusive';
  if (metric.samples && (measured.samples ?? 0) < metric.samples.min) return 'Inconclusive';
  if (metric.max !== undefined && measured.value > metric.max) return 'Fail';
  if (metric.min !== undefined && measured.value < metric.min) return 'Fail';
  return 'Pass';
}

/**
 * The verdict over all rounds of a soak so far, oldest first. Fail as soon as one metric failed `failureLimit` times in a
 * row; Error when a metric could not be measured several times in a row; Inconclusive when a metric never passed.
 */
export function judgeRounds(metrics: CatalogMetric[], rounds: Measurement[][]): Judgement {
  const reasons: string[] = [];
  let verdict: Judgement['verdict'] = 'Pass';
  let unsettled = false;
  for (const metric of metrics) {
    const series = rounds.flatMap((round) => round.filter((each) => each.metric === metric.name));
    const verdicts = series.map((each) => judgeMeasurement(metric, each));
    const failures = streak(verdicts, 'Fail');
    const last = series.at(-1);
    if (failures >= metric.failureLimit) {
      verdict = 'Fail';
      reasons.push(`${metric.name} is ${show(metric, last?.value)}, ${target(metric)} (${failures} times in a row)`);
    } else if (streak(verdicts, 'Error') >= ERROR_LIMIT) {
      verdict = worse(verdict, 'Error');
      reasons.push(`${metric.name} could not be measured: ${last?.error}`);
    } else if (!verdicts.includes('Pass')) {
      verdict = worse(verdict, 'Inconclusive');
      reasons.push(`${metric.name} has ${last?.error ?? explainMissing(metric, last)}`);
    }
    unsettled ||= failures > 0 && failures < metric.failureLimit;
  }
  return { verdict, reasons, unsettled };
}

function streak(verdicts: string[], wanted: string): number {
  let length = 0;
  while (length < verdicts.length && verdicts[verdicts.length - 1 - length] === wanted) length++;
  return length;
}

const RANK = { Pass: 0, Inconclusive: 1, Error: 2, Fail: 3 } as const;
const worse = (a: Judgement['verdict'], b: Judgement['verdict']): Judgement['verdict'] => (RANK[a] >= RANK[b] ? a : b);

const show = (metric: CatalogMetric, value: number | undefined): string =>
  value === undefined ? 'unknown' : `${Number(value.toPrecision(4))}${metric.unit && ` ${metric.unit}`}`;

function target(metric: CatalogMetric): string {
  const bounds = [
    ...(metric.max === undefined ? [] : [`at most ${show(metric, metric.max)}`]),
    ...(metric.min === undefined ? [] : [`at least ${show(metric, metric.min)}`]),
  ];
  return `expected ${bounds.join(' and ')}`;
}

function explainMissing(metric: CatalogMetric, last: Measurement | undefined): string {
  if (last?.value === undefined) return 'no data';
  return `${last.samples ?? 0} requests, ${metric.samples?.min} are needed to judge`;
}
