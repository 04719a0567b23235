import type { History } from '@temporalio/common/lib/proto-utils.js';
import type { ReleasePlan } from '../../domain/release/plan-types.ts';
import type { Ending } from '../render/status.ts';
import { printable } from '../../domain/printable.ts';

export type Event = NonNullable<NonNullable<History['events']>[number]>;
export type Payload = NonNullable<NonNullable<NonNullable<Event['userMetadata']>['summary']>>;
/** Turns a payload of the history into its value. */
export type Decode = (payload: Payload) => Promise<unknown>;

/** A decision or an order of a person, as the history has it. */
export interface Message {
  at: string;
  via: 'update' | 'signal';
  name: string;
  payload: unknown;
  /** The typed answer of an update. */
  answer?: unknown;
}

/** What the event history of one run tells; no worker is needed. Times are ISO 8601. */
export interface Story {
  input: unknown;
  plan?: ReleasePlan;
  messages: Message[];
  timeline: { at: string; text: string }[];
  ending?: Ending;
}

/** How a run ended, when the event closes it. */
export async function readEnding(event: Event, decode: Decode): Promise<Ending | undefined> {
  const completed = event.workflowExecutionCompletedEventAttributes;
  if (completed) {
    const payload = completed.result?.payloads?.[0];
    return { ok: true, result: payload ? printable(await decode(payload)) : undefined };
  }
  const failed = event.workflowExecutionFailedEventAttributes;
  if (failed) {
    const { failure } = failed;
    return printable({
      ok: false,
      type: failure?.applicationFailureInfo?.type ?? 'Failed',
      message: (failure && (await messageOf(failure, decode))) ?? 'no message',
    });
  }
  const terminated = event.workflowExecutionTerminatedEventAttributes;
  if (terminated)
    return printable({
      ok: false,
      type: 'Terminated',
      message: `${terminated.reason || 'no reason given'}${terminated.identity ? ` (by ${terminated.identity})` : ''}. Nothing was taken back.`,
    });
  if (event.workflowExecutionTimedOutEventAttributes)
    return { ok: false, type: 'TimedOut', message: 'its time was over. Nothing was taken back.' };
  if (event.workflowExecutionCanceledEventAttributes)
    return { ok: false, type: 'Canceled', message: 'it was canceled.' };
  if (event.workflowExecutionContinuedAsNewEventAttributes)
    return { ok: true, result: { outcome: 'goes on in a new run' } };
  return undefined;
}

/** The innermost reasons of a failure, `Type: message`. */
export async function failureText(failure: FailureLike | null | undefined, decode: Decode): Promise<string> {
  if (!failure) return 'no reason recorded';
  const type = failure.applicationFailureInfo?.type;
  const own = `${type && type !== 'Error' ? `${type}: ` : ''}${(await messageOf(failure, decode)) ?? ''}`;
  return failure.cause ? `${own} (${await failureText(failure.cause, decode)})` : own;
}

/** Where workers encrypt payloads, the message of a failure is one, and its own place only says so. */
async function messageOf({ message, encodedAttributes }: FailureLike, decode: Decode): Promise<string | undefined> {
  const encoded = encodedAttributes ? ((await decode(encodedAttributes)) as { message?: unknown } | null) : undefined;
  return typeof encoded?.message === 'string' ? encoded.message : (message ?? undefined);
}

export interface FailureLike {
  message?: string | null;
  encodedAttributes?: Payload | null;
  applicationFailureInfo?: { type?: string | null } | null;
  cause?: FailureLike | null;
}

/** `decide by ana: approve security → recorded`. */
export function describeMessage({ name, payload, answer }: Message): string {
  const { by, decision, gate, verb, reason } = (payload ?? {}) as Record<string, unknown>;
  const said = [decision ?? verb, gate]
    .filter((part) => part !== undefined)
    .map(text)
    .join(' ');
  const { code, accepted, message } = (answer ?? {}) as Record<string, unknown>;
  const answered = code ?? (accepted === undefined ? undefined : accepted === true ? 'accepted' : 'refused');
  return [
    name,
    ...(by === undefined ? [] : [` by ${text(by)}`]),
    ...(said ? [`: ${said}`] : []),
    ...(reason === undefined ? [] : [` (${text(reason)})`]),
    ...(answered === undefined ? [] : [` → ${text(answered)}${message ? `: ${text(message)}` : ''}`]),
  ].join('');
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** ISO 8601 of a protobuf timestamp. */
export function timeOf(timestamp: { seconds?: unknown; nanos?: number | null } | null | undefined): string | undefined {
  if (!timestamp) return undefined;
  return new Date(Number(timestamp.seconds ?? 0) * 1000 + Math.floor((timestamp.nanos ?? 0) / 1e6)).toISOString();
}
