import type { Client, WorkflowHandle } from '@temporalio/client';

/** An event of a history; which kind it is shows in the attributes it has. */
export type Event = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[number];

/** The events of a run, the newest run when none is named. */
export async function eventsOf(client: Client, workflowId: string, runId?: string): Promise<Event[]> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  return events ?? [];
}

/** What a procedure costs the Temporal server. */
export interface Cost {
  events: number;
  /**
   * Billable actions as Temporal Cloud defines them (docs.temporal.io/cloud/actions), as far as a history shows them:
   * heartbeats and queries come on top.
   */
  actions: number;
  actionsByKind: Record<string, number>;
}

export function costOf(events: Event[]): Cost {
  const actionsByKind: Record<string, number> = {};
  const count = (kind: string, happened: unknown, actions = 1): void => {
    if (happened) actionsByKind[kind] = (actionsByKind[kind] ?? 0) + actions;
  };
  for (const event of events) {
    const started = event.workflowExecutionStartedEventAttributes;
    // A child is counted where its parent starts it, a signal where another workflow sends it.
    count('workflow started', started && !started.parentWorkflowExecution);
    const signaled = event.workflowExecutionSignaledEventAttributes;
    count('signal sent', signaled && !signaled.externalWorkflowExecution);
    count('signal sent', event.signalExternalWorkflowExecutionInitiatedEventAttributes);
    count('child workflow (two each)', event.startChildWorkflowExecutionInitiatedEventAttributes, 2);
    // Only the last attempt leaves an event.
    const activity = event.activityTaskStartedEventAttributes;
    count('activity started or retried', activity, activity?.attempt ?? 1);
    count('timer started', event.timerStartedEventAttributes);
    count('search attributes upserted', event.upsertWorkflowSearchAttributesEventAttributes);
    count('update received', event.workflowExecutionUpdateAcceptedEventAttributes);
  }
  const actions = Object.values(actionsByKind).reduce((sum, each) => sum + each, 0);
  return { events: events.length, actions, actionsByKind };
}

/** Where the time of a decision went, in milliseconds, by the Temporal server's clock (the same machine's). */
export interface DecisionPhases {
  /** The decision reached the server, which scheduled a workflow task. */
  admitted: number;
  /** A worker took the workflow task. */
  taken: number;
  /** The workflow decided, and the server has its answer. */
  decided: number;
  /** A worker started the activity that switches. */
  activityStarted: number;
  /** The activity read what is there now, judged it and patched; the API server has answered. */
  switched: number;
}

/** @throws Error when the history holds no decided gate with a switch after it */
export function phasesOf(events: Event[], sentAt: number, patchedAt: number): DecisionPhases {
  const byId = new Map(events.map((event) => [String(event.eventId), event]));
  const acceptedId = Number(
    events.findLast((event) => event.workflowExecutionUpdateAcceptedEventAttributes)?.eventId ?? 0,
  );
  const completed = events.findLast(
    (event) => event.workflowTaskCompletedEventAttributes && Number(event.eventId) < acceptedId,
  );
  const task = completed?.workflowTaskCompletedEventAttributes;
  const taskScheduled = byId.get(String(task?.scheduledEventId));
  const taskStarted = byId.get(String(task?.startedEventId));
  const scheduled = events.find(
    ({ activityTaskScheduledEventAttributes: activity }) => activity?.activityType?.name === 'switchTraffic',
  );
  const started = events.find(
    ({ activityTaskStartedEventAttributes: activity }) =>
      activity && String(activity.scheduledEventId) === String(scheduled?.eventId),
  );
  if (!completed || !taskScheduled || !taskStarted || !started) throw new Error('the history shows no decided switch');
  const [admittedAt, takenAt, decidedAt, startedAt] = [taskScheduled, taskStarted, completed, started].map(timeOf) as [
    number,
    number,
    number,
    number,
  ];
  return {
    admitted: admittedAt - sentAt,
    taken: takenAt - admittedAt,
    decided: decidedAt - takenAt,
    activityStarted: startedAt - decidedAt,
    switched: patchedAt - startedAt,
  };
}

/** Milliseconds since the epoch, by the Temporal server's clock. */
export const timeOf = ({ eventTime }: Event): number =>
  Number(eventTime?.seconds ?? 0) * 1000 + Number(eventTime?.nanos ?? 0) / 1e6;
