/** How activities of one kind are tried: times in milliseconds. `attempts` 0 means without end. */
export interface RetryProfile {
  startToCloseMs: number;
  heartbeatMs?: number;
  initialIntervalMs: number;
  maximumIntervalMs: number;
  attempts: number;
  /** All attempts together, where time is bounded rather than their number: a refused connection fails in no time. */
  withinMs?: number;
}

/**
 * Named once, used everywhere.
 * - `traffic`: the way back of traffic; bounded in time, so that a rollback is done or asks within five minutes.
 * - `quick`: short reads and changes on the way forward; tried until it works or somebody stops the procedure, because
 *   an API server that is away for an hour must not fail a release that waits for people for a day.
 * - `poll`: watches something for minutes, with heartbeats.
 * - `stream`: moves the whole of something, a database for example, for hours, with heartbeats; what it began is begun anew.
 * - `step`: a step of a runbook; `stepProfile` fits it to the action. Bounded, then a person is asked.
 * - `cleanup`: the rest of an undo, after traffic is back; bounded, then a person is asked.
 * - `notice`: telling people; given up soon, because nothing depends on it.
 */
export const RETRY_PROFILES = {
  traffic: { startToCloseMs: 10_000, initialIntervalMs: 250, maximumIntervalMs: 2000, attempts: 0, withinMs: 45_000 },
  quick: { startToCloseMs: 10_000, initialIntervalMs: 500, maximumIntervalMs: 10_000, attempts: 0 },
  poll: {
    startToCloseMs: 30 * 60_000,
    heartbeatMs: 15_000,
    initialIntervalMs: 500,
    maximumIntervalMs: 10_000,
    attempts: 0,
  },
  stream: {
    startToCloseMs: 24 * 3_600_000,
    heartbeatMs: 15_000,
    initialIntervalMs: 1000,
    maximumIntervalMs: 60_000,
    attempts: 0,
  },
  step: { startToCloseMs: 10_000, initialIntervalMs: 500, maximumIntervalMs: 10_000, attempts: 0, withinMs: 300_000 },
  cleanup: {
    startToCloseMs: 180_000,
    heartbeatMs: 15_000,
    initialIntervalMs: 500,
    maximumIntervalMs: 10_000,
    attempts: 5,
  },
  notice: { startToCloseMs: 15_000, initialIntervalMs: 1000, maximumIntervalMs: 15_000, attempts: 4 },
} as const satisfies Record<string, RetryProfile>;

/** A step whose one attempt may take so long; more than ten seconds are taken with heartbeats. */
export function stepProfile(timeoutMs: number = RETRY_PROFILES.step.startToCloseMs): RetryProfile {
  const { step, poll } = RETRY_PROFILES;
  return {
    ...step,
    startToCloseMs: timeoutMs,
    // So that the process may die during each of several attempts.
    withinMs: step.withinMs + 3 * timeoutMs,
    ...(timeoutMs > step.startToCloseMs ? { heartbeatMs: poll.heartbeatMs } : {}),
  };
}

/** Something that is watched until its deadline, in one activity whichever process it runs in. */
export const watchProfile = (withinMs: number): RetryProfile => ({
  ...RETRY_PROFILES.poll,
  startToCloseMs: withinMs + 60_000,
  withinMs: withinMs + RETRY_PROFILES.step.withinMs,
});

/** The longest a bounded activity may take in all: its time, or every attempt timing out and the waits between them. */
export function worstCaseMs(profile: RetryProfile): number {
  if (profile.withinMs !== undefined) return profile.withinMs;
  if (profile.attempts === 0) return Infinity;
  let total = profile.startToCloseMs * profile.attempts;
  for (let retry = 0; retry < profile.attempts - 1; retry++) {
    total += Math.min(profile.initialIntervalMs * 2 ** retry, profile.maximumIntervalMs);
  }
  return total;
}
