import type { Opening } from '../load/load-report.ts';

/** How new connections moved from one version to another after a switch. */
export interface Move {
  from: string;
  to: string;
  /** ISO 8601: the API server had answered the patch. */
  switchedAt: string;
  /** Connections opened from the switch on, for 5 s, and how many of them `to` answered. */
  within5s: { connections: number; onNew: number; share: number };
  /** From the patch to the opening of the last of these that `from` answered, milliseconds; 0 when it answered none. */
  lastOldAfterMs: number;
}

const WITHIN_MS = 5000;

/** Those opened from one time until before another, milliseconds since the epoch. */
export const openedBetween = (openings: readonly Opening[], since: number, until: number): Opening[] =>
  openings.filter(({ at }) => at >= since && at < until);

/**
 * @param openings of a time with one switch from `from` to `to`, until 5 s after it at least
 * @param switchedAt milliseconds since the epoch
 * @throws Error when no connection was opened within 5 s of the switch
 */
export function judgeMove(openings: readonly Opening[], switchedAt: number, from: string, to: string): Move {
  const since = openedBetween(openings, switchedAt, switchedAt + WITHIN_MS);
  if (since.length === 0) throw new Error('no connection was opened within 5 s of the switch');
  const onNew = since.filter(({ version }) => version === to).length;
  const lastOld = Math.max(switchedAt, ...since.filter(({ version }) => version === from).map(({ at }) => at));
  return {
    from,
    to,
    switchedAt: new Date(switchedAt).toISOString(),
    within5s: { connections: since.length, onNew, share: onNew / since.length },
    lastOldAfterMs: Math.round(lastOld - switchedAt),
  };
}

/**
 * How long new connections were answered by both versions, milliseconds: from the first opened to `to` until the last opened
 * to `from`.
 * @param openings in which one update replaces `from` by `to`
 * @throws Error when one of the two answered none
 */
export function mixedTime(openings: readonly Opening[], from: string, to: string): number {
  const inOrder = openings.toSorted((a, b) => a.at - b.at);
  const lastOld = inOrder.findLast(({ version }) => version === from);
  const firstNew = inOrder.find(({ version }) => version === to);
  if (!lastOld || !firstNew) throw new Error(`expected connections to ${from} and to ${to}`);
  return Math.max(0, Math.round(lastOld.at - firstNew.at));
}
