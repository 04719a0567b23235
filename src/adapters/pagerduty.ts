import { createHash } from 'node:crypto';
import { askChannel, titleOf, type Notice } from './notice.ts';

export interface PagerDutyChannel {
  /** Of the Events API, without a path: `https://events.pagerduty.com`, or the one of the service region EU. */
  url: string;
  routingKey: string;
}

/** Longest that the Events API takes. */
const LONGEST_SUMMARY = 1024;
const LONGEST_DEDUP_KEY = 255;

/**
 * Sends an event to PagerDuty (Events API v2). A message about a subject opens, adds to or resolves its alert; the
 * `dedup_key` makes a repetition part of the alert that is open already, so a lost answer is tried again. A message about
 * nothing that lasts is a change event: it is kept beside the service's alerts and pages nobody.
 * @throws Error in words, for the result of `notify`
 */
export async function sendToPagerDuty({ url, routingKey }: PagerDutyChannel, notice: Notice): Promise<void> {
  const { subject, text, key } = notice;
  const base = { routing_key: routingKey };
  const payload = {
    summary: titleOf(subject ? { text: subject.title } : notice, LONGEST_SUMMARY),
    source: 'windlass',
    custom_details: { text, key },
  };
  const send = (path: string, body: object, repeatable: boolean) =>
    askChannel({ url: `${url}${path}`, body: { ...base, ...body }, secrets: [routingKey], repeatable });
  // Change events have no key by which a repetition would be known.
  if (!subject) return void (await send('/v2/change/enqueue', { payload }, false));
  const dedup_key = shortened(subject.id);
  if (subject.state === 'resolved') {
    return void (await send('/v2/enqueue', { event_action: 'resolve', dedup_key }, true));
  }
  const event = { event_action: 'trigger', dedup_key, payload: { ...payload, severity: subject.severity } };
  await send('/v2/enqueue', event, true);
}

const shortened = (id: string): string =>
  id.length <= LONGEST_DEDUP_KEY ? id : createHash('sha256').update(id).digest('hex');
