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
import { nameOf } from '../../src/domain/incident/record.ts';
import { messageOf } from './failure.ts';
import type { Incident } from './incident.ts';

export interface IncidentRunbook {
  purpose: 'diagnose' | 'remedy' | 'recovery';
  runbook: string;
  /** Name of the alert that it is for; absent: the first one. */
  alert?: string;
}

/**
 * Runs a runbook of the catalog for an incident, as a workflow of its own with the priority of an incident. It ends
 * early, when it only looks, as soon as a person says that the incident is over, and when it looks whether it is over and
 * another alert joins; a remedy is never cut off by that.
 * @returns whether it did all its steps
 */
export async function runIncidentRunbook(
  incident: Incident,
  slice: IncidentSlice,
  { purpose, runbook, alert }: IncidentRunbook,
): Promise<boolean> {
  const { system, environment, service } = slice;
  const workflowId = `${workflowInfo().workflowId}/${purpose}`;
  const { kept } = incident.record.alerts;
  const first = kept.find((each) => nameOf(each) === alert) ?? kept[0];
  const scope = new CancellationScope();
  let ended = false;
  let cut = false;
  const shallEnd = (): boolean => incident.resolved || (purpose === 'recovery' && incident.unanswered !== undefined);
  const running = scope.run(() =>
    executeChild<typeof workflow>(runRunbook.procedure, {
      workflowId,
      args: [
        {
          ...{ system, environment, runbook, requestedBy: 'incident', priority: 'incident', onBusy: 'queue' },
          ...(service === undefined ? {} : { service }),
          ...(first ? { alert: { labels: first.labels, annotations: first.annotations } } : {}),
          severity: incident.record.severity,
          reason: incident.record.title.slice(0, 1000),
        },
      ],
      // What it changed is taken back when the incident is terminated; an incident that ends well waited for it.
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    }),
  );
  if (purpose === 'remedy') incident.busy = workflowId;
  else
    void condition(() => shallEnd() || ended).then(() => {
      if (ended) return;
      cut = true;
      scope.cancel();
    });
  incident.note(`${purpose}: runbook ${runbook} (${workflowId})`);
  try {
    const result = await running;
    return entered(outcomeOf(result), true);
  } catch (error) {
    if (isCancellation(error) && !cut) throw error;
    if (!isCancellation(error) && !(error instanceof ChildWorkflowFailure)) throw error;
    return entered(cut ? 'ended early' : `failed: ${causeText(error)}`, false);
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
