import { fieldsOf } from './labels.ts';

/** One event of a history with its payloads decoded: a list of payloads is a list of values. */
export interface HistoryEvent {
  id: number;
  /** ISO 8601 in UTC. */
  at: string;
  /** `EVENT_TYPE_WORKFLOW_EXECUTION_STARTED`… (temporal/api/enums/v1/event_type.proto) */
  type: string;
  attributes: Record<string, unknown>;
}

/**
 * Reads a history as the tools of Temporal write it in JSON, payloads without a codec.
 * @throws Error when it is none
 */
export function readEvents(json: unknown): HistoryEvent[] {
  const { events } = fieldsOf(json);
  if (!Array.isArray(events)) throw new Error('expected a history: {"events": […]}');
  return events.map((event: unknown) => {
    const fields = fieldsOf(event);
    const attributes = Object.entries(fields).find(([key]) => key.endsWith('EventAttributes'))?.[1];
    return {
      id: Number(fields['eventId']),
      at: new Date(String(fields['eventTime'])).toISOString(),
      type: String(fields['eventType']),
      attributes: fieldsOf(decoded(attributes)),
    };
  });
}

/** The value with every payload in it replaced by what it holds. */
function decoded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decoded);
  if (typeof value !== 'object' || value === null) return value;
  const { payloads, metadata, data } = value as Record<string, unknown>;
  if (Array.isArray(payloads)) return payloads.map(decoded);
  const { encoding } = fieldsOf(metadata);
  if (typeof encoding === 'string') return payloadValue(fromBase64(encoding).toString('utf8'), data);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, decoded(each)]));
}

/** What is not JSON, bytes for example, stays as it is written: it enters the audit by its digest only. */
function payloadValue(encoding: string, data: unknown): unknown {
  if (encoding === 'binary/null') return null;
  if (encoding === 'json/plain') {
    try {
      return JSON.parse(fromBase64(data).toString('utf8')) as unknown;
    } catch {
      // Below.
    }
  }
  return { encoding, data: typeof data === 'string' ? data : '' };
}

const fromBase64 = (data: unknown): Buffer => Buffer.from(typeof data === 'string' ? data : '', 'base64');
