import type { LoadReport } from '../load/load-report.ts';
import type { WorkerKilled } from './stage.ts';

/** One release of the demo as it went. Times are ISO 8601, durations milliseconds. */
export interface ReleaseReport {
  version: string;
  outcome: 'released' | 'failed';
  failure?: string;
  startedAt: string;
  endedAt: string;
  tookMs: number;
  /** Requests that this version answered, and how many of them failed. */
  requests: number;
  failed: number;
  /** From the verdict or failure to the last answer of this version on a new connection; for a rollback under traffic. */
  rollbackMs?: number;
}

export interface DemoReport {
  passed: boolean;
  /** What did not go as promised; empty when all did. */
  broken: string[];
  durationMs: number;
  workerKilled: WorkerKilled;
  requests: number;
  failuresByKind: Record<string, number>;
  /** `version kind`: count. `null` is a request that nothing answered. */
  failuresByVersionAndKind: Record<string, number>;
  releases: ReleaseReport[];
}

const FIVE_MINUTES = 300_000;

/** Holds the load generator's figures against what the demo promises. */
export function judgeDemo(
  load: LoadReport,
  releases: ReleaseReport[],
  expected: { version: string; outcome: ReleaseReport['outcome'] }[],
): Pick<DemoReport, 'passed' | 'broken' | 'requests' | 'failuresByKind' | 'failuresByVersionAndKind'> {
  const broken: string[] = [];
  const hold = (promise: string, kept: boolean): void => {
    if (!kept) broken.push(promise);
  };
  const release = (version: string): ReleaseReport | undefined => releases.find((each) => each.version === version);
  for (const { version, outcome } of expected)
    hold(`${version} ends ${outcome}`, release(version)?.outcome === outcome);
  hold('the good release has no failed request', (load.versions['v2']?.failed ?? 1) === 0);
  hold('v3 never gets a request', (load.versions['v3']?.requests ?? 0) === 0);
  hold('v4 served, failed under load and was caught', (load.versions['v4']?.failed ?? 0) > 0);
  hold(
    'every failure is an HTTP error that v4 itself served',
    load.failures.every(({ kind, version }) => version === 'v4' && kind.startsWith('http_')),
  );
  const back = release('v4')?.rollbackMs;
  hold('v4 is rolled back in less than five minutes', back !== undefined && back < FIVE_MINUTES);
  hold('every request is accounted for', load.issued === load.succeeded + load.failed);
  return {
    passed: broken.length === 0,
    broken,
    requests: load.issued,
    failuresByKind: load.failuresByKind,
    failuresByVersionAndKind: Object.fromEntries(
      load.failures.map(({ kind, version, count }) => [`${version ?? 'none'} ${kind}`, count]),
    ),
  };
}
