import { UNKNOWN_PLACE, type AuditChain, type AuditFact } from '../contracts/audit.ts';
import type { HistoryEvent } from './history.ts';
import { clean, fieldsOf, labelsOf, nameOf, textOf } from './labels.ts';
import { READERS } from './readers.ts';
import type { Reading } from './reading.ts';

export interface NormalizeOptions {
  workflowId: string;
  runId: string;
  /** Whether an activity changes something; those that only look are left out. */
  changes: (activity: string, input: unknown) => boolean;
}

/** The server takes no longer one. */
const LONGEST_ID = 1000;

/** What the history of one run tells: the chain it belongs to, and the facts in the order of their events. */
export interface Normalized extends AuditChain {
  facts: AuditFact[];
}

/**
 * Normalizes the whole history of a run that has ended. The same history always gives the same facts.
 * @throws Error when it does not begin with the start of a run
 */
export function normalize(events: HistoryEvent[], { workflowId, runId, changes }: NormalizeOptions): Normalized {
  const start = events[0];
  if (start?.type !== 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED')
    throw new Error(`the history of ${workflowId} (${runId}) begins with ${start?.type ?? 'nothing'}`);
  const reading: Reading = {
    ...startOf(start),
    changes,
    activities: new Map(),
    answers: answersOf(events),
  };
  const resetAt = events.findLast(isReset);
  const copyOf = nameOf(resetAt?.attributes['baseRunId']);
  const facts = events.flatMap((event): AuditFact[] => {
    const told = READERS[event.type]?.(event, reading);
    if (!told) return [];
    const { what, source, target = reading.target, labels, evidence, ...rest } = told;
    return [
      {
        ...rest,
        ...{
          at: event.at,
          procedure: reading.procedure,
          workflowId: clean(workflowId, LONGEST_ID),
          runId,
          eventId: event.id,
        },
        what: clean(what),
        ...(source ? { source: clean(source) } : {}),
        ...(target ? { target: clean(target) } : {}),
        ...(labels && Object.keys(labels).length > 0 ? { labels } : {}),
        ...(evidence && evidence.length > 0 ? { evidence } : {}),
        ...(copyOf && resetAt && event.id < resetAt.id ? { copyOf } : {}),
      },
    ];
  });
  return { ...placeOf(events), facts };
}

export const isReset = ({ type, attributes }: HistoryEvent): boolean =>
  type === 'EVENT_TYPE_WORKFLOW_TASK_FAILED' && attributes['cause'] === 'WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW';

function startOf({ attributes }: HistoryEvent): Pick<Reading, 'procedure' | 'requester' | 'target' | 'input'> {
  const input = (attributes['input'] as unknown[] | undefined)?.[0];
  const { requestedBy } = labelsOf(input);
  const name = typeof requestedBy === 'string' ? requestedBy : textOf(attributes['identity']);
  return {
    procedure: nameOf(fieldsOf(attributes['workflowType'])['name']) ?? 'unknown',
    requester: { name, how: 'declared' },
    target: targetOf(input),
    input,
  };
}

/** What a procedure is about, as its input says. */
function targetOf(input: unknown): string | undefined {
  const { service, database, runbook, window } = labelsOf(input);
  if (service !== undefined) return String(service);
  if (database !== undefined) return `database/${database}`;
  if (runbook !== undefined) return `runbook/${runbook}`;
  return window === undefined ? undefined : `window/${window}`;
}

/** As the procedure set it, else as its input says; unknown when neither is a name. */
function placeOf(events: HistoryEvent[]): AuditChain {
  const attributes = events.flatMap(({ attributes: { searchAttributes } }) => {
    const { indexedFields } = fieldsOf(searchAttributes);
    return indexedFields === undefined ? [] : [fieldsOf(indexedFields)];
  });
  const input = fieldsOf((events[0]!.attributes['input'] as unknown[] | undefined)?.[0]);
  const of = (attribute: string, field: string): string => {
    const told = attributes.flatMap((each) => each[attribute] ?? []).at(-1);
    return [told, input[field]].map(placeName).find((each) => each !== undefined) ?? UNKNOWN_PLACE;
  };
  return { system: of('OpsSystem', 'system'), environment: of('OpsEnvironment', 'environment') };
}

const placeName = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value) ? value : undefined;

/** What each accepted Update was answered, by the event of its acceptance. */
function answersOf(events: HistoryEvent[]): Reading['answers'] {
  return new Map(
    events
      .filter(({ type }) => type === 'EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED')
      .map(({ attributes: { acceptedEventId, outcome } }) => [Number(acceptedEventId), fieldsOf(outcome)]),
  );
}
