import { z } from 'zod';
import type { EnvironmentSlice } from './catalog.ts';
import type { Contract } from './contract.ts';
import type { EvidenceRef } from './evidence.ts';
import type { AlertRule, CatalogIncidents } from './incident-catalog.ts';
import type { Plan } from './plan.ts';
import { name, person, place, text } from './scalars.ts';

const short = z.string().max(1000);

/** One alert as Alertmanager sends it, cut to what an incident needs. */
export const incidentAlert = z.strictObject({
  fingerprint: z.string().min(1).max(64),
  status: z.enum(['firing', 'resolved']),
  startsAt: z.iso.datetime({ offset: true }),
  labels: z.record(z.string().max(200), short),
  annotations: z.record(z.string().max(200), short),
});
export type IncidentAlert = z.output<typeof incidentAlert>;

/** Signal `alerts`: what a webhook brought. */
export const alertsSchema = z.strictObject({ alerts: z.array(incidentAlert).min(1).max(1000) });

const input = z.strictObject({
  ...place,
  service: name.optional().describe('The service that suffers; absent: the system as a whole'),
  title: text.optional().describe('What is wrong, when a person opens it'),
  alert: z.string().max(200).optional().describe('Name of an alert whose runbooks are used, when a person opens it'),
  requestedBy: person,
  planOnly: z.boolean().default(false).describe('Show severity, deadlines and runbooks, and touch nothing'),
});
export type HandleIncidentInput = z.output<typeof input>;

/** What an incident needs of the catalog. */
export interface IncidentSlice extends EnvironmentSlice {
  service?: string;
  policy: CatalogIncidents;
}

/** Update and Signal `acknowledge`: somebody takes care. */
export const acknowledgeSchema = z.strictObject({ by: person, reason: text.optional() });
/** Update and Signal `setSeverity`: a person knows better than the rules. */
export const setSeveritySchema = z.strictObject({ by: person, reason: text, severity: z.string().max(20) });
/** Update and Signal `resolve`: a person says that it is over. */
export const resolveSchema = z.strictObject({ by: person, reason: text });

/** Times are ISO 8601. */
export interface Milestones {
  /** When the first alert began to fire. */
  startedAt: string;
  openedAt: string;
  acknowledgedAt?: string;
  mitigatedAt?: string;
  resolvedAt?: string;
}

export interface TimelineEntry {
  at: string;
  text: string;
}

/** What an incident knows of itself; its post-mortem is drafted of it. */
export interface IncidentRecord {
  id: string;
  title: string;
  system: string;
  environment: string;
  service?: string;
  severity: string;
  computed: { severity: string; why: string };
  override?: { severity: string; by: string; reason: string; at: string };
  acknowledgedBy?: string;
  resolvedBy?: string;
  /** Of the on-call chain: how many levels were told. */
  levels: number;
  milestones: Milestones;
  alerts: { total: number; kept: IncidentAlert[] };
  /** The runbooks of its first alert. */
  rule?: AlertRule;
  /** Those of other alerts that came while it was open, in that order, and how many of them had their turn. */
  joined?: AlertRule[];
  answered?: number;
  /** Alerts of rules that were spared their remedy because they had gone by themselves. */
  spared?: string[];
  runbooks: { purpose: string; runbook: string; outcome: string; workflowId: string }[];
  timeline: TimelineEntry[];
}

export interface HandleIncidentResult {
  /** `known`: every alert that opened it belongs to an incident that is over. */
  outcome: 'resolved' | 'planned' | 'known';
  severity?: string;
  why?: string;
  alerts?: number;
  milestones?: Milestones;
  /** Milliseconds from opening to acknowledgement, and from the start of the first alert to the end. */
  mttaMs?: number;
  mttrMs?: number;
  postMortem?: EvidenceRef;
  /** Keys of the alerts it knew: one that is sent again later opens nothing. */
  handled?: string[];
  plan?: Plan;
}

export const handleIncident: Contract<typeof input> = {
  procedure: 'handleIncident',
  description:
    'Handles an incident from its first alert to its post-mortem: severity, on-call chain, diagnostics, remedy, recovery.',
  input,
  example: { system: 'sandbox', environment: 'local', service: 'shop', title: 'Checkout is slow', requestedBy: 'kim' },
  workflowId: (of) => `incident/${of.system}/${of.environment}/${of.service ?? 'all'}`,
};
