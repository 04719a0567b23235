import {
  CancellationScope,
  ChildWorkflowFailure,
  condition,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import type { IncidentSlice } from '../../src/contracts/handle-incident.ts';
import { runRunbook, type RunRunbookResult } from '../../src/contracts/run-runbook.ts';
import type { runRunbook as workflow } from '../run-runbook.ts';
import { messageOf } from './failure.ts';
import type { Incident } from './incident.ts';

export type Purpose = 'diagnose' | 'remedy' | 'recovery';

/**
 * Runs a runbook of the catalog for an incident, as a workflow of its own with the priority of an incident. It ends
 * early, when it only looks, as soon as a person says that the incident is over; a remedy is never cut off by that.
 * @returns whether it did all its steps
 */
export async function runIncidentRunbook(
  incident: Incident,
  slice: IncidentSlice,
  purpose: Purpose,
  runbook: string,
): Promise<boolean> {
  const { system, environment, service } = slice;
  const workflowId = `${workflowInfo().workflowId}/${purpose}`;
  const [first] = incident.record.alerts.kept;
  const scope = new CancellationScope();
  let ended = false;
  const running = scope.run(() =>
    executeChild<typeof workflow>(runRunbook.procedure, {
      workflowId,
      args: [
        {
          ...{ system, environment, runbook, requestedBy: 'incident', priority: 'incident', onBusy: 'queue' },
          ...(service === undefined ? {} : { service }),
          ...(first ? { alert: { labels: first.labels, annotations: first.annotations } } : {}),
          reason: incident.record.title.slice(0, 1000),
        },
      ],
      // What it changed is taken back when the incident is terminated; an incident that ends well waited for it.
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    }),
  );
  if (purpose === 'remedy') incident.busy = workflowId;
  else void condition(() => incident.resolved || ended).then(() => (ended ? undefined : scope.cancel()));
  incident.note(`${purpose}: runbook ${runbook} (${workflowId})`);
  try {
    const result = await running;
    return entered(outcomeOf(result), true);
  } catch (error) {
    if (isCancellation(error) && !incident.resolved) throw error;
    if (!isCancellation(error) && !(error instanceof ChildWorkflowFailure)) throw error;
    return entered(isCancellation(error) ? 'ended early' : `failed: ${causeText(error)}`, false);
  } finally {
    ended = true;
    incident.busy = undefined;
  }

  function entered(outcome: string, ok: boolean): boolean {
    incident.note(`${purpose}: runbook ${runbook} ${outcome}`);
    incident.change({
      runbooks: [...incident.record.runbooks, { purpose, runbook, outcome, workflowId }].slice(-20),
    });
    return ok;
  }
}

const outcomeOf = ({ steps }: RunRunbookResult): string =>
  `completed, ${steps.filter(({ outcome }) => outcome === 'done').length} steps done`;

const causeText = (error: unknown): string =>
  messageOf(error instanceof ChildWorkflowFailure && error.cause ? error.cause : error);
