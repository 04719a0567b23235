import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { LeasesActivities } from '../../activities/leases.ts';
import type { Priority } from '../../src/contracts/change-control.ts';
import { ACQUIRE_PROFILE, PRIORITY } from '../../src/domain/lease/rules.ts';

/** Canceling waits for an answer under way, so that nobody holds a lease without knowing it. */
export function leases(priority: Priority, summary: string): Pick<LeasesActivities, 'acquireLease'> {
  const { startToCloseMs, initialIntervalMs, maximumIntervalMs, attempts } = ACQUIRE_PROFILE;
  return proxyActivities<Pick<LeasesActivities, 'acquireLease'>>({
    summary: `Lease: ${summary}`.slice(0, 200),
    startToCloseTimeout: startToCloseMs,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: {
      initialInterval: initialIntervalMs,
      maximumInterval: maximumIntervalMs,
      ...(PRIORITY[priority] >= PRIORITY.rollback ? { maximumAttempts: attempts } : {}),
    },
  });
}
