import { z } from 'zod';
import { duration, name, text } from './scalars.ts';

/** A time of day: `09:00`. */
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day such as 09:00');

const zone = z.string().refine(isZone, 'expected a time zone such as Europe/Vienna or UTC');

/** `15m`, or the end of the next business day. */
const deadline = z.union([z.literal('next-business-day'), duration]);

/** True of an incident when a measured fact is beyond a bound, or a label of one of its alerts has a value. */
const condition = z.union([
  z.strictObject({ fact: name, above: z.number() }),
  z.strictObject({ fact: name, below: z.number() }),
  z.strictObject({ label: z.string().min(1).max(200), is: z.string().max(200) }),
]);

const severity = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,19}$/, 'expected a short name such as P1 or sev2'),
  description: text.optional(),
  /** Any of them makes an incident this severe; the last severity needs none. */
  when: z.array(condition).default([]),
  respondWithin: deadline.describe('Somebody must have acknowledged by then'),
  escalateEvery: deadline.describe('Without an acknowledgement the next in the chain is told, again and again'),
});

const onCall = z.strictObject({
  name: name.describe('Place in the chain: primary, secondary, vp'),
  roles: z.array(name).min(1),
  channels: z.array(name).default([]).describe('Besides those of `notify`'),
});

const alertRule = z.strictObject({
  alert: z.string().min(1).max(200).describe('Label alertname'),
  service: name.optional().describe('Only for this service'),
  diagnose: name.optional().describe('Runbook that only looks; its outputs are evidence'),
  runbook: name.optional().describe('Runbook that remedies; it runs with the priority of an incident'),
  resolved: name.optional().describe('Runbook whose end says that the incident is over: an `until` that holds'),
});

/** How a system handles incidents. Severities from the worst to the mildest, which is the one of an incident without a reason for another. */
export const incidents = z.strictObject({
  zone: zone.default('UTC'),
  businessHours: z.strictObject({ from: timeOfDay, until: timeOfDay }).prefault({ from: '09:00', until: '17:00' }),
  holidays: z.array(z.iso.date()).default([]).describe('Local dates on which nobody works'),
  severities: z.array(severity).min(1).max(10),
  facts: z
    .array(z.strictObject({ name, query: z.string().min(1).max(2000), unit: z.string().max(20).default('') }))
    .max(20)
    .default([])
    .describe('PromQL; $namespace and $service are filled in'),
  onCall: z.array(onCall).min(1).max(10),
  alerts: z.array(alertRule).default([]),
  quietFor: duration.prefault('1m').describe('So long no alert may fire before the incident is over'),
  notify: z.array(name).default([]).describe('Channels of the people who handle it'),
  status: z.array(name).default([]).describe('Channels for everyone else: opened, and over'),
  contacts: z
    .array(z.strictObject({ kind: name, name: text, contact: text }))
    .default([])
    .describe('Outside: security, compliance, legal, cloud'),
});

export type CatalogIncidents = z.output<typeof incidents>;
export type CatalogSeverity = z.output<typeof severity>;
export type AlertRule = z.output<typeof alertRule>;
export type Deadline = z.output<typeof deadline>;

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
