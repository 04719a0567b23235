import { upsertMemo, workflowInfo } from '@temporalio/workflow';
import { reviewBreakGlass } from '../../src/contracts/review-break-glass.ts';
import type { GateState } from '../../src/domain/gate-state.ts';
import { startFollowUp } from './follow-up.ts';
import type { Procedure } from './procedure.ts';

/**
 * Somebody passed a gate alone: it is shown as long as the procedure runs, people are told at once, and a review is
 * opened that outlives the procedure. Nothing of it delays the procedure, and its end waits for it.
 */
export function announceBreakGlass(procedure: Procedure, { spec, code, brokenGlass: broken }: GateState): void {
  const policy = spec.breakGlass;
  if (!broken || !policy) return;
  const dueAt = new Date(broken.at + policy.reviewWithinMs).toISOString();
  const { workflowId } = workflowInfo();
  const what = `BREAK-GLASS: ${broken.by} passed gate ${spec.name} alone: ${broken.reason ?? ''}`;
  // Also where it is read without a worker, and after the end.
  const earlier = workflowInfo().memo?.['breakGlass'];
  const words = `gate ${spec.name} was passed alone by ${broken.by}: ${broken.reason ?? ''}`;
  upsertMemo({ breakGlass: typeof earlier === 'string' ? `${earlier}; ${words}` : words });
  procedure.show(`break-glass ${spec.name}`, `${what} (to be reviewed until ${dueAt})`);
  procedure.tell(`${what}. It is ${workflowId}; its review is due ${dueAt}.`, policy.notify);
  procedure.beside('open the review of the break-glass', async () => {
    const review = await startFollowUp(reviewBreakGlass, {
      ...procedure.place,
      of: workflowId,
      gate: spec.name,
      code,
      asks: spec.asks.slice(0, 500),
      by: broken.by,
      reason: broken.reason ?? '',
      brokenAt: new Date(broken.at).toISOString(),
      roles: [...new Set([...spec.roles, ...policy.roles])],
      notify: policy.notify,
      dueAt,
    });
    procedure.show(`break-glass ${spec.name}`, `${what} (review until ${dueAt}: ${review})`);
  });
}
