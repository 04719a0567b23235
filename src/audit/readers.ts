import type { AuditFact } from '../contracts/audit.ts';
import { digestOf } from './digest.ts';
import type { HistoryEvent } from './history.ts';
import { clean, evidenceIn, fieldsOf, labelsOf, nameOf, textOf } from './labels.ts';
import { readSignal, readUpdate } from './messages.ts';
import { failureType, first, type Reading, type Told } from './reading.ts';

type Reader = (event: HistoryEvent, reading: Reading) => Told | undefined;

/** The activity that asks change control; its answer is a record of its own. */
const ACQUIRE = 'acquireLease';
/** The activity that asks whether a change is let in; only what is refused, or passes all the same, is told. */
const ADMIT = 'admitChange';

/** By type of event; what is not here tells nothing that somebody did. */
export const READERS: Record<string, Reader> = {
  EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: ({ attributes }, { procedure, requester, input }) => ({
    kind: 'started',
    what: procedure,
    who: requester,
    source: sourceOf(attributes),
    outcome: attributes['continuedExecutionRunId'] ? 'continued' : 'started',
    labels: labelsOf(input),
    inputs: digestOf(input),
  }),
  EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: readUpdate,
  EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: readSignal,

  EVENT_TYPE_ACTIVITY_TASK_SCHEDULED({ id, attributes }, reading) {
    const activity = nameOf(fieldsOf(attributes['activityType'])['name']) ?? 'unknown';
    const input = first(attributes['input']);
    const asks = activity === ACQUIRE || activity === ADMIT;
    if (!asks && !reading.changes(activity, input)) return undefined;
    reading.activities.set(id, { activity, input, attempt: 1 });
    return asks ? undefined : effect(reading, id, 'scheduled', { inputs: digestOf(input) });
  },
  EVENT_TYPE_ACTIVITY_TASK_STARTED({ attributes: { scheduledEventId, attempt } }, { activities }) {
    const known = activities.get(Number(scheduledEventId));
    if (known) known.attempt = Number(attempt ?? 1);
    return undefined;
  },
  EVENT_TYPE_ACTIVITY_TASK_COMPLETED({ attributes: { scheduledEventId, result } }, reading) {
    const id = Number(scheduledEventId);
    const activity = reading.activities.get(id)?.activity;
    if (activity === ACQUIRE) return acquired(reading, id, first(result));
    if (activity === ADMIT) return admitted(reading, first(result));
    return effect(reading, id, 'completed', { evidence: evidenceIn(first(result)) });
  },
  EVENT_TYPE_ACTIVITY_TASK_FAILED: ({ attributes: { scheduledEventId, failure } }, reading) =>
    effect(reading, Number(scheduledEventId), `failed: ${failureType(failure)}`),
  EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: ({ attributes: { scheduledEventId } }, reading) =>
    effect(reading, Number(scheduledEventId), 'timed-out'),
  EVENT_TYPE_ACTIVITY_TASK_CANCELED: ({ attributes: { scheduledEventId } }, reading) =>
    effect(reading, Number(scheduledEventId), 'canceled'),

  EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: ({ attributes }, { requester }) => ({
    kind: 'child',
    what: `start ${nameOf(fieldsOf(attributes['workflowType'])['name']) ?? 'a workflow'} ${textOf(attributes['workflowId'])}`,
    who: requester,
    outcome: 'started',
    inputs: digestOf(first(attributes['input'])),
  }),
  // The lease is given back by a Signal to change control; other Signals are told by those who get them.
  EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED({ attributes }, { requester }) {
    if (attributes['signalName'] !== 'release') return undefined;
    const { scope, state } = labelsOf(first(attributes['input']));
    return { kind: 'lease', what: 'release', who: requester, outcome: String(state ?? 'sent'), ...targeted(scope) };
  },
  EVENT_TYPE_WORKFLOW_TASK_FAILED: ({ attributes }) =>
    attributes['cause'] === 'WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW'
      ? { kind: 'reset', what: 'reset', who: identity(attributes), outcome: 'reset' }
      : undefined,
  EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED: ({ attributes }) => ({
    kind: 'cancel-requested',
    what: 'cancel',
    who: identity(attributes),
    outcome: 'requested',
    ...reasonOf(attributes['cause']),
  }),

  EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED({ attributes: { result } }, { requester }) {
    const value = first(result);
    return end(requester, nameOf(fieldsOf(value)['outcome']) ?? 'completed', value);
  },
  EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: ({ attributes: { failure } }, { requester }) =>
    end(requester, `failed: ${failureType(failure)}`, failure),
  EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: (_, { requester }) => end(requester, 'canceled'),
  EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: (_, { requester }) => end(requester, 'continued-as-new'),
  EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: () => end({ name: 'temporal', how: 'server' }, 'timed-out'),
  EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: ({ attributes }) => ({
    ...end(identity(attributes), 'terminated'),
    ...reasonOf(attributes['reason']),
  }),
};

function effect(reading: Reading, scheduled: number, outcome: string, more: Partial<Told> = {}): Told | undefined {
  const known = reading.activities.get(scheduled);
  if (!known || known.activity === ADMIT) return undefined;
  const { activity, input, attempt } = known;
  const { action, scope } = labelsOf(input);
  return {
    kind: activity === ACQUIRE ? 'lease' : 'effect',
    what: activity,
    who: reading.requester,
    outcome,
    ...targeted(scope),
    labels: { ...(action === undefined ? {} : { action }), ...(attempt > 1 ? { attempt } : {}) },
    ...more,
  };
}

/** What change control answered: granted, reserved, queued or refused, with its own number of the record. */
function acquired(reading: Reading, scheduled: number, reply: unknown): Told | undefined {
  const request = fieldsOf(fieldsOf(reading.activities.get(scheduled)?.input)['request']);
  const { scope, mode, priority, preempt } = labelsOf(request);
  const { token, sequence } = labelsOf(reply);
  return {
    kind: 'lease',
    what: 'acquire',
    who: reading.requester,
    outcome: nameOf(fieldsOf(reply)['status']) ?? 'unanswered',
    ...targeted(scope),
    labels: Object.fromEntries(
      Object.entries({ mode, priority, preempt, token, sequence }).filter((entry) => entry[1] !== undefined),
    ) as Record<string, string>,
  };
}

/** A change that was kept out, or that passed all the same because it brings a service back. */
function admitted({ requester: who }: Reading, result: unknown): Told | undefined {
  const { verdict, message, reason, rule } = fieldsOf(result);
  const outcome = nameOf(verdict);
  if (outcome === undefined || outcome === 'admitted') return undefined;
  const labels = labelsOf({ reason: message ?? reason, rule, breakGlass: outcome === 'passes-by-break-glass' });
  return { kind: 'lease', what: 'admit', who, outcome, labels };
}

const targeted = (scope: unknown): { target?: string } => (typeof scope === 'string' ? { target: scope } : {});

const end = (who: AuditFact['who'], outcome: string, value?: unknown): Told => ({
  kind: 'ended',
  what: 'end',
  who,
  outcome,
  ...(value === undefined ? {} : { inputs: digestOf(value), evidence: evidenceIn(value, 10) }),
});

const identity = ({ identity: name }: Record<string, unknown>): AuditFact['who'] => ({
  name: textOf(name),
  how: 'declared',
});

const reasonOf = (reason: unknown): Pick<Told, 'labels'> =>
  typeof reason === 'string' && reason !== '' ? { labels: { reason: clean(reason) } } : {};

function sourceOf(attributes: Record<string, unknown>): string {
  const parent = fieldsOf(attributes['parentWorkflowExecution'])['workflowId'];
  if (typeof parent === 'string') return `workflow:${parent}`;
  const schedule = fieldsOf(fieldsOf(attributes['searchAttributes'])['indexedFields'])['TemporalScheduledById'];
  if (schedule !== undefined) return `schedule:${String(Array.isArray(schedule) ? schedule[0] : schedule)}`;
  return textOf(attributes['identity']);
}
