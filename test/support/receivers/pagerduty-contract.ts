import { z } from 'zod';
import type { ContractAnswer } from './contract.ts';

/**
 * What PagerDuty's Events API v2 accepts and answers, from its published pages
 * (developer.pagerduty.com/docs/events-api-v2: overview, trigger events, change events, errors):
 * - `/v2/enqueue`: an alert event; `dedup_key` of at most 255 characters, needed for acknowledge and resolve; `payload`
 *   with summary (1,024), source and severity, needed for trigger. 202 on success;
 * - `/v2/change/enqueue`: a change event, without severity and without a key;
 * - 400 with `errors` for an event that is not valid, 413 over 512 KB, 429 for too many.
 *
 * Stricter than PagerDuty where it would hide a mistake: unknown fields are refused.
 */
const routingKey = z.string().regex(/^[A-Za-z0-9]{32}$/, "'routing_key' must be 32 characters");
const payload = {
  summary: z.string().min(1).max(1024),
  source: z.string().min(1),
  timestamp: z.iso.datetime({ offset: true }).optional(),
  custom_details: z.looseObject({}).optional(),
};
const shared = {
  client: z.string().optional(),
  client_url: z.url().optional(),
  links: z.array(z.strictObject({ href: z.url(), text: z.string().optional() })).optional(),
  images: z.array(z.strictObject({ src: z.url(), href: z.url().optional(), alt: z.string().optional() })).optional(),
};
const dedupKey = z.string().min(1).max(255);

const alertEvent = z.discriminatedUnion('event_action', [
  z.strictObject({
    routing_key: routingKey,
    event_action: z.literal('trigger'),
    dedup_key: dedupKey.optional(),
    payload: z.strictObject({
      ...payload,
      severity: z.enum(['critical', 'error', 'warning', 'info']),
      component: z.string().optional(),
      group: z.string().optional(),
      class: z.string().optional(),
    }),
    ...shared,
  }),
  z.strictObject({
    routing_key: routingKey,
    event_action: z.enum(['acknowledge', 'resolve']),
    dedup_key: dedupKey,
    payload: z.looseObject({}).optional(),
    ...shared,
  }),
]);

const changeEvent = z.strictObject({
  routing_key: routingKey,
  payload: z.strictObject(payload),
  links: shared.links,
  images: shared.images,
});

const MAX_BYTES = 512 * 1024;

/** An alert as the service shows it: events with the key of one that is open are part of it. */
export interface Alert {
  dedupKey: string;
  status: 'triggered' | 'acknowledged' | 'resolved';
  summary: string;
  severity: string;
  /** How many events it was made of. */
  events: number;
}

/** Alerts of one account, by the path it is reached at. Deduplicates as PagerDuty does, and no more. */
export class PagerDuty {
  private readonly alerts = new Map<string, Alert[]>();

  list(account: string): Alert[] {
    return this.alerts.get(account) ?? [];
  }

  /** Judges an event, and lets it take effect. */
  answer(request: {
    method: string;
    account: string;
    change: boolean;
    contentType: string;
    body: string;
  }): ContractAnswer {
    const { method, account, change, contentType, body } = request;
    if (method !== 'POST') return { status: 405, body: { status: 'error', message: 'Method Not Allowed' } };
    if (Buffer.byteLength(body) > MAX_BYTES) return { status: 413, body: { status: 'error', message: 'too large' } };
    if (!/^application\/json\b/i.test(contentType)) return invalid(['expected application/json']);
    let event: unknown;
    try {
      event = JSON.parse(body);
    } catch {
      return invalid(['Event object is not JSON']);
    }
    const parsed = (change ? changeEvent : alertEvent).safeParse(event);
    if (!parsed.success)
      return invalid(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
    if (change) return { status: 202, body: { status: 'success', message: 'Change event processed' } };
    const alert = parsed.data as z.output<typeof alertEvent>;
    const key = alert.dedup_key ?? `generated-${this.list(account).length + 1}`;
    this.apply(account, key, alert);
    return { status: 202, body: { status: 'success', message: 'Event processed', dedup_key: key } };
  }

  private apply(account: string, dedupKey: string, event: z.output<typeof alertEvent>): void {
    const all = this.list(account);
    const open = all.find((one) => one.dedupKey === dedupKey && one.status !== 'resolved');
    if (event.event_action === 'trigger') {
      const { summary, severity } = event.payload;
      if (open) open.events += 1;
      else this.alerts.set(account, [...all, { dedupKey, status: 'triggered', summary, severity, events: 1 }]);
    } else if (open) {
      // Of an alert that is not open it is dropped.
      open.events += 1;
      open.status = event.event_action === 'resolve' ? 'resolved' : 'acknowledged';
    }
  }
}

const invalid = (errors: string[]): ContractAnswer => ({
  status: 400,
  body: { status: 'invalid event', message: 'Event object is invalid', errors },
});
