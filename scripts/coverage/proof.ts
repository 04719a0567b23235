import type { JestReport } from '../testing/report.ts';
import type { Procedure } from './procedures.ts';

/** `missing`: no test of that number ran. `skipped`: one ran only in part, or was left out. */
export type Status = 'passed' | 'failed' | 'skipped' | 'missing';

/** What a test run proves about one procedure. */
export interface Proof {
  id: string;
  system: string;
  title: string;
  /** Every one of its numbered tests passed, and it has at least one. */
  proved: boolean;
  tests: { number: string; shows: string; status: Status }[];
  emulated: string[];
}

/** Number of a test → the statuses of all tests that carry it. */
export type Results = Map<string, string[]>;

/**
 * The numbered tests of Jest reports. A test is numbered when its own title begins with the number (`S-05.3 retires …`);
 * a number elsewhere in the title, or in the name of a `describe`, does not count.
 */
export function numberedResults(...reports: (JestReport | undefined)[]): Results {
  const results: Results = new Map();
  const files = reports.flatMap((report) => report?.testResults ?? []);
  for (const { title, status } of files.flatMap((file) => file.assertionResults)) {
    const number = /^([A-Z]-\d{2}\.\d+)\s/.exec(title)?.[1];
    if (number) results.set(number, [...(results.get(number) ?? []), status]);
  }
  return results;
}

/** Judges every procedure by the results of its numbered tests. */
export function prove(procedures: Procedure[], results: Results): Proof[] {
  return procedures.map(({ id, system, title, emulated, tests }) => {
    const judged = Object.entries(tests).map(([number, shows]) => ({
      number,
      shows,
      status: statusOf(results.get(number)),
    }));
    const proved = judged.length > 0 && judged.every(({ status }) => status === 'passed');
    return { id, system, title, proved, tests: judged, emulated };
  });
}

function statusOf(statuses: string[] = []): Status {
  if (statuses.length === 0) return 'missing';
  if (statuses.includes('failed')) return 'failed';
  return statuses.every((status) => status === 'passed') ? 'passed' : 'skipped';
}

/** IDs that the baseline claims and the proofs do not bear out. */
export function regressions(baseline: string[], proofs: Proof[]): string[] {
  return baseline.filter((id) => !proofs.some((proof) => proof.id === id && proof.proved));
}

/** Numbers that tests carry and no procedure lists: a slip of the pen that would never count. */
export function strays(procedures: Procedure[], results: Results): string[] {
  const listed = new Set(procedures.flatMap(({ tests }) => Object.keys(tests)));
  return [...results.keys()].filter((number) => !listed.has(number)).sort();
}

/** Numbers of the tests that passed, in order. */
export function passedNumbers(results: Results): string[] {
  return [...results].filter(([, statuses]) => statusOf(statuses) === 'passed').map(([number]) => number);
}

/**
 * The tests that are meant by numbers (`S-05.1`) and procedures (`S-05`); all, when none is.
 * @param passed numbers of tests to choose from
 * @returns `without`: what was wanted and means none of them
 */
export function choose(wanted: string[], passed: string[]): { numbers: string[]; without: string[] } {
  const means = (one: string, number: string): boolean => number === one || number.startsWith(`${one}.`);
  return {
    numbers: passed.filter((number) => wanted.length === 0 || wanted.some((one) => means(one, number))),
    without: wanted.filter((one) => !passed.some((number) => means(one, number))),
  };
}

/** A pattern for Jest's `--testNamePattern` that selects exactly these numbers, inside a `describe` or not. */
export function patternOf(numbers: string[]): RegExp {
  return new RegExp(`(^| )(${numbers.map((number) => number.replace('.', '\\.')).join('|')}) `);
}
