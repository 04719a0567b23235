import type { ReleaseOutcome, ReleaseRecord } from './state.ts';

/** So many releases are remembered on a Service: enough to go back, small enough for an annotation. */
const KEPT = 5;

/** The releases in a Service's annotation; none when it is absent or not ours. */
export function parseRecords(annotation: string | undefined): ReleaseRecord[] {
  try {
    const records: unknown = JSON.parse(annotation ?? '[]');
    return Array.isArray(records) ? (records as ReleaseRecord[]) : [];
  } catch {
    return [];
  }
}

export interface SwitchRecords {
  /** The release that takes over. */
  record: ReleaseRecord;
  /** The release that served, for when it is not recorded yet. */
  previous?: ReleaseRecord;
  previousOutcome: ReleaseOutcome;
}

/**
 * The records after a switch, newest first: the release that takes over is in front, and there once; the one that
 * served gets its outcome.
 */
export function recordSwitch(records: ReleaseRecord[], { record, previous, previousOutcome }: SwitchRecords) {
  const served = (previous && records.find((each) => isSame(each, previous))) ?? previous ?? records[0];
  const others = records.filter((each) => !isSame(each, record) && !(served && isSame(each, served)));
  const behind = served && !isSame(served, record) ? [{ ...served, outcome: previousOutcome }] : [];
  return [record, ...behind, ...others].slice(0, KEPT);
}

/** The records with the outcome of a Deployment's newest release changed; undefined when it has none. */
export function recordOutcome(
  records: ReleaseRecord[],
  deployment: string,
  outcome: ReleaseOutcome,
): ReleaseRecord[] | undefined {
  const index = records.findIndex((each) => each.deployment === deployment);
  return index < 0 ? undefined : records.map((each, at) => (at === index ? { ...each, outcome } : each));
}

/** The two color names alternate, so that a Deployment's name alone does not tell releases apart. */
const isSame = (a: ReleaseRecord, b: ReleaseRecord): boolean =>
  a.deployment === b.deployment && a.image === b.image && a.version === b.version;
