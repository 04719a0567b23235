/** What is left of a run, in words that are the same for every run of its scenario. */
export interface Traces {
  /** How the procedure ended. */
  outcome: string;
  /** Final state, a line per fact. */
  state: string[];
  /** State-changing effects, each as often as it took place. */
  effects: string[];
  /** Notices that people got, each as often as it arrived. */
  notices: string[];
  /** Requests of the load that failed, by kind, and versions that answered. */
  failedRequests: string[];
  servedBy: string[];
}

export interface Difference {
  kind: 'outcome' | 'state' | 'doubled' | 'missing' | 'foreign' | 'notice' | 'traffic';
  text: string;
}

/** What a disturbed run did otherwise than the undisturbed one; notices alone may repeat, since no vendor deduplicates them. */
export function compareTraces(undisturbed: Traces, disturbed: Traces): Difference[] {
  const differences: Difference[] = [];
  const differ = (kind: Difference['kind'], text: string): void => void differences.push({ kind, text });
  if (disturbed.outcome !== undisturbed.outcome)
    differ('outcome', `expected ${undisturbed.outcome}, got ${disturbed.outcome}`);

  for (const line of undisturbed.state) if (!disturbed.state.includes(line)) differ('state', `missing: ${line}`);
  for (const line of disturbed.state) if (!undisturbed.state.includes(line)) differ('state', `unexpected: ${line}`);

  const expected = count(undisturbed.effects);
  const happened = count(disturbed.effects);
  for (const [effect, times] of happened) {
    const right = expected.get(effect) ?? 0;
    if (times > right) differ(right === 0 ? 'foreign' : 'doubled', `${times} times instead of ${right}: ${effect}`);
  }
  for (const [effect, times] of expected) {
    const got = happened.get(effect) ?? 0;
    if (got < times) differ('missing', `${got} times instead of ${times}: ${effect}`);
  }

  const told = new Set(disturbed.notices);
  for (const notice of new Set(undisturbed.notices))
    if (!told.has(notice)) differ('notice', `nobody was told: ${notice}`);
  const known = new Set(undisturbed.notices);
  for (const notice of told) if (!known.has(notice)) differ('notice', `told in this run only: ${notice}`);

  for (const failure of disturbed.failedRequests) differ('traffic', failure);
  for (const version of disturbed.servedBy)
    if (!undisturbed.servedBy.includes(version)) differ('traffic', `${version} got traffic`);
  return differences;
}

function count(all: string[]): Map<string, number> {
  const counted = new Map<string, number>();
  for (const each of all) counted.set(each, (counted.get(each) ?? 0) + 1);
  return counted;
}
