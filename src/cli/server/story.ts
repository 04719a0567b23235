import type { ReleasePlan } from '../../domain/release/plan-types.ts';
import { printable } from '../../domain/printable.ts';
import {
  describeMessage,
  failureText,
  readEnding,
  timeOf,
  type Decode,
  type Event,
  type Message,
  type Payload,
  type Story,
} from './history.ts';
import { compact } from './runs.ts';

/** What is known while a history is read; later events refer to earlier ones by their ids. */
interface Reading {
  story: Story;
  at: string;
  eventId: string;
  /** Summary of the event, as the workflow set it. */
  summary: string | undefined;
  activities: Map<string, { type: string; label: string; attempt: number }>;
  updates: Map<string, Message>;
  decode: Decode;
  tell: (text: string) => void;
}
type Id = { toString(): string } | null | undefined;

/** Reads a history from its first event to its last. */
export async function readStory(events: Event[], decode: Decode): Promise<Story> {
  const story: Story = { input: undefined, messages: [], timeline: [] };
  const activities: Reading['activities'] = new Map();
  const updates: Reading['updates'] = new Map();
  for (const event of events) {
    const at = timeOf(event.eventTime) ?? '';
    const summary = event.userMetadata?.summary ? String(await decode(event.userMetadata.summary)) : undefined;
    const tell = (text: string): void => void story.timeline.push({ at, text });
    const reading = { story, at, eventId: String(event.eventId), summary, activities, updates, decode, tell };
    for (const read of READERS) await read(event, reading);
    const ending = await readEnding(event, decode);
    if (!ending) continue;
    story.ending = ending;
    tell(ending.ok ? 'completed' : `${ending.type}: ${ending.message}`);
  }
  return printable(compact(story));
}

/** A reader of the events that have these attributes; the others it passes over. */
function on<Key extends keyof Event>(
  key: Key,
  read: (attributes: NonNullable<Event[Key]>, reading: Reading) => void | Promise<void>,
) {
  return async (event: Event, reading: Reading): Promise<void> => {
    const attributes = event[key];
    if (attributes) await read(attributes, reading);
  };
}

const READERS = [
  on('workflowExecutionStartedEventAttributes', async ({ input }, { story, decode, tell, summary }) => {
    story.input = await first(input, decode);
    tell(summary ? `started: ${summary}` : 'started');
  }),
  on('activityTaskScheduledEventAttributes', ({ activityType }, { activities, eventId, summary }) => {
    const type = activityType?.name ?? '';
    activities.set(eventId, { type, label: summary ?? type, attempt: 1 });
  }),
  on('activityTaskStartedEventAttributes', ({ scheduledEventId, attempt }, reading) => {
    activityOf(reading, scheduledEventId).attempt = attempt ?? 1;
  }),
  on('activityTaskCompletedEventAttributes', async ({ scheduledEventId, result }, reading) => {
    const { type, label, attempt } = activityOf(reading, scheduledEventId);
    reading.tell(`${label}: done${attempt > 1 ? ` at attempt ${attempt}` : ''}`);
    if (type === 'draftRelease') reading.story.plan = (await first(result, reading.decode)) as ReleasePlan;
  }),
  on('activityTaskFailedEventAttributes', async ({ scheduledEventId, failure }, reading) => {
    const why = await failureText(failure, reading.decode);
    reading.tell(`${activityOf(reading, scheduledEventId).label}: failed: ${why}`);
  }),
  on('activityTaskTimedOutEventAttributes', ({ scheduledEventId }, reading) =>
    reading.tell(`${activityOf(reading, scheduledEventId).label}: timed out`),
  ),
  on('activityTaskCanceledEventAttributes', ({ scheduledEventId }, reading) =>
    reading.tell(`${activityOf(reading, scheduledEventId).label}: canceled`),
  ),
  on('timerStartedEventAttributes', (_, { summary, tell }) => {
    if (summary) tell(`waits: ${summary}`);
  }),
  on('workflowExecutionSignaledEventAttributes', async ({ signalName, input }, { story, at, decode, tell }) => {
    const message: Message = { at, via: 'signal', name: signalName ?? '', payload: await first(input, decode) };
    story.messages.push(message);
    tell(`signal ${describeMessage(message)}`);
  }),
  on('workflowExecutionUpdateAcceptedEventAttributes', async ({ acceptedRequest }, reading) => {
    const payload = await first(acceptedRequest?.input?.args, reading.decode);
    const message: Message = { at: reading.at, via: 'update', name: acceptedRequest?.input?.name ?? '', payload };
    reading.story.messages.push(message);
    reading.updates.set(reading.eventId, message);
  }),
  on('workflowExecutionUpdateCompletedEventAttributes', async ({ acceptedEventId, outcome }, reading) => {
    const message = reading.updates.get(String(acceptedEventId));
    if (!message) return;
    message.answer = outcome?.failure
      ? { failed: await failureText(outcome.failure, reading.decode) }
      : await first(outcome?.success, reading.decode);
    reading.tell(`update ${describeMessage(message)}`);
  }),
  on('startChildWorkflowExecutionInitiatedEventAttributes', ({ workflowId }, { tell }) => tell(`starts ${workflowId}`)),
  on('workflowTaskFailedEventAttributes', async ({ failure, cause }, { tell, decode }) =>
    tell(
      Number(cause) === RESET_WORKFLOW
        ? 'reset to an earlier point by an operator'
        : `the worker failed a workflow task: ${await failureText(failure, decode)}`,
    ),
  ),
  on('workflowExecutionCancelRequestedEventAttributes', (_, { tell }) => tell('cancellation was requested')),
];

/** temporal.api.enums.v1.WorkflowTaskFailedCause: not a fault of the worker. */
const RESET_WORKFLOW = 11;

async function first(of: { payloads?: Payload[] | null } | null | undefined, decode: Decode): Promise<unknown> {
  return of?.payloads?.[0] ? decode(of.payloads[0]) : undefined;
}

function activityOf({ activities }: Reading, scheduledEventId: Id): { type: string; label: string; attempt: number } {
  return activities.get(String(scheduledEventId)) ?? { type: '', label: 'activity', attempt: 1 };
}
