/** A condition that is looked at again and again. Times are milliseconds since the epoch. */
export interface Watched {
  /** Since when it has been true at every look; absent while it is not. */
  trueSince?: number;
  lookedAt?: number;
  looks: number;
}

/** Longer than this beyond the interval nobody looked, and the condition may have been broken unseen. */
const BLIND_MS = 60_000;

/**
 * What one more look makes of it. A time without looks (the process died, and another one went on) does not count as
 * held when it is long: the hold time begins anew.
 */
export function look(before: Watched, holds: boolean, at: number, everyMs: number): Watched {
  const seen = { lookedAt: at, looks: before.looks + 1 };
  if (!holds) return seen;
  const blind = before.lookedAt !== undefined && at - before.lookedAt > everyMs + BLIND_MS;
  return { ...seen, trueSince: blind ? at : (before.trueSince ?? at) };
}

/** Whether it has been true for long enough. */
export const hasHeld = ({ trueSince, lookedAt }: Watched, holdsForMs: number): boolean =>
  trueSince !== undefined && lookedAt !== undefined && lookedAt - trueSince >= holdsForMs;
