import type { IncidentAlert, IncidentRecord } from '../../contracts/handle-incident.ts';
import type { AlertRule, CatalogIncidents } from '../../contracts/incident-catalog.ts';

/** Entries of a timeline; a storm may not grow it without end. The first and the latest are what people look for. */
export const TIMELINE_ENTRIES = 200;

/** The runbooks for an alert: the first rule that names it, and this service or none. */
export const ruleFor = (
  { alerts }: Pick<CatalogIncidents, 'alerts'>,
  alert: string | undefined,
  service: string | undefined,
): AlertRule | undefined =>
  alerts.find((rule) => rule.alert === alert && (rule.service === undefined || rule.service === service));

export const nameOf = ({ labels }: IncidentAlert): string => labels['alertname'] ?? 'an alert without a name';

/** What is wrong, in a line: what the alert says of itself, or the person who opened it. */
export function titleOf(first: IncidentAlert | undefined, title: string | undefined): string {
  if (title) return title;
  if (!first) return 'An incident without a title';
  const summary = first.annotations['summary'];
  return (summary ? `${nameOf(first)}: ${summary}` : nameOf(first)).slice(0, 300);
}

/** Adds to the timeline; in the middle of a long one entries are left out. */
export function noted(record: IncidentRecord, at: number, text: string): IncidentRecord {
  const timeline = [...record.timeline, { at: new Date(at).toISOString(), text: text.slice(0, 500) }];
  if (timeline.length > TIMELINE_ENTRIES) timeline.splice(TIMELINE_ENTRIES / 2, 1);
  return { ...record, timeline };
}

/** Milliseconds from opening to acknowledgement, and from the beginning of what went wrong to the end. */
export function timesOf({ milestones }: IncidentRecord): { mttaMs?: number; mttrMs?: number } {
  const { startedAt, openedAt, acknowledgedAt, resolvedAt } = milestones;
  return {
    ...(acknowledgedAt ? { mttaMs: Date.parse(acknowledgedAt) - Date.parse(openedAt) } : {}),
    ...(resolvedAt ? { mttrMs: Math.max(0, Date.parse(resolvedAt) - Date.parse(startedAt)) } : {}),
  };
}
