import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { ensureSchedule } from '../src/adapters/schedules.ts';
import type { WorkerConfig } from './config.ts';

/**
 * Makes the Schedule by which whatever has ended comes into the audit, one for the workers of a task queue. Nobody has to
 * think of it: without it, the server would forget a history before anybody has exported it.
 * A server that does not let us is told in the log; the worker starts all the same.
 */
export async function scheduleAudit({ audit, taskQueue }: WorkerConfig, client: Client, log: Logger): Promise<void> {
  if (!audit) return log.warn('the audit is off: WINDLASS_AUDIT_DATABASE is not set');
  if (audit.everyMs === 'off') return;
  const scheduleId = `audit/${taskQueue}`;
  try {
    await ensureSchedule(client, {
      ...{ scheduleId, taskQueue, everyMs: audit.everyMs },
      workflowType: 'reconcileAudit',
      workflowId: `audit-reconcile/${taskQueue}`,
      input: {},
      summary: 'Export what has ended to the audit',
    });
  } catch (error) {
    log.error({ err: error }, `nothing is exported to the audit by itself: the Schedule ${scheduleId} cannot be made`);
  }
}
