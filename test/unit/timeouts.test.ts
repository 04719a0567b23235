import { LONGEST_MUTATION_MS, STAND_DOWN_GRACE_MS } from '../../src/contracts/change-control.ts';
import { ACQUIRE_PROFILE } from '../../src/domain/lease/rules.ts';
import { RETRY_PROFILES, worstCaseMs } from '../../src/domain/retry-profiles.ts';

const FIVE_MINUTES = 300_000;

describe('timeouts by construction', () => {
  test('the worst case of an activity is every attempt timing out and the waits between them', () => {
    expect(worstCaseMs({ startToCloseMs: 1000, initialIntervalMs: 500, maximumIntervalMs: 700, attempts: 4 })).toBe(
      4000 + 500 + 700 + 700,
    );
    expect(worstCaseMs({ startToCloseMs: 1, initialIntervalMs: 1, maximumIntervalMs: 1, attempts: 0 })).toBe(Infinity);
    expect(
      worstCaseMs({ startToCloseMs: 9, initialIntervalMs: 1, maximumIntervalMs: 1, attempts: 0, withinMs: 20 }),
    ).toBe(20);
  });

  test('every activity of the traffic path has at most ten seconds an attempt', () => {
    expect(RETRY_PROFILES.traffic.startToCloseMs).toBeLessThanOrEqual(LONGEST_MUTATION_MS);
    expect(RETRY_PROFILES.quick.startToCloseMs).toBeLessThanOrEqual(LONGEST_MUTATION_MS);
  });

  // Read the catalog, acquire the lease, claim the Service, read it, switch; then it is done or at a rescue gate.
  test('an emergency rollback moves traffic or asks a person within five minutes', () => {
    const steps = worstCaseMs(ACQUIRE_PROFILE) + 4 * worstCaseMs(RETRY_PROFILES.traffic);
    expect(steps + Math.max(STAND_DOWN_GRACE_MS, LONGEST_MUTATION_MS)).toBeLessThan(FIVE_MINUTES);
  });

  test('a failing release switches traffic back within five minutes or asks a person', () => {
    expect(worstCaseMs(RETRY_PROFILES.traffic)).toBeLessThan(FIVE_MINUTES);
  });
});
