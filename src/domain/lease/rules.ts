import type { RetryProfile } from '../retry-profiles.ts';

/** Who goes first: a higher number. From `rollback` on, a request may displace a holder and take a dirty lease. */
export const PRIORITY = { review: 1, maintenance: 2, deployment: 3, rollback: 4, incident: 5 } as const;

/** How long a holder that was asked to stand down has before the fence moves. */
export const STAND_DOWN_GRACE_MS = 15_000;

/**
 * How long after a holder's death a dirty lease may be taken: the longest start-to-close timeout of an activity that
 * changes a target, so that nothing of the dead holder is still under way (fencing covers what is later still).
 */
export const LONGEST_MUTATION_MS = 10_000;

/** Waiting requests of one environment; beyond it they are refused, so that the state stays small enough to carry on. */
export const LONGEST_QUEUE = 1000;

/** Request ids whose answer is remembered. A repeat comes within seconds, when an answer was lost on its way. */
export const REMEMBERED_ANSWERS = 256;

/** Next in line whose end is watched, beside every holder: a dead entry further back is found when it moves up. */
export const WATCHED_IN_QUEUE = 10;

/**
 * How a procedure asks change control. With `attempts` 4 it is over in 22 s, which fits the five minutes of a rollback;
 * other procedures ask without end, because a wait of an hour must not fail what has been approved.
 */
export const ACQUIRE_PROFILE = {
  startToCloseMs: 5000,
  initialIntervalMs: 250,
  maximumIntervalMs: 2000,
  attempts: 4,
} as const satisfies RetryProfile;
