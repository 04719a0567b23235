import type { IncidentRecord } from '../../contracts/handle-incident.ts';
import { formatDuration } from '../duration.ts';
import { nameOf, timesOf } from './record.ts';

/** Draft of the post-incident review, in Markdown: what is recorded is filled in, what people must find out is asked. */
export function draftPostMortem(record: IncidentRecord): string {
  const { milestones, computed, override, alerts, runbooks } = record;
  const { mttaMs, mttrMs } = timesOf(record);
  const where = `${record.system} ${record.environment}${record.service ? `, service ${record.service}` : ''}`;
  return [
    `# Post-mortem: ${plain(record.title)}`,
    [
      `- **Where:** ${where}`,
      `- **Incident:** ${record.id}`,
      `- **Severity:** ${record.severity} (by the rules ${computed.severity}: ${computed.why})`,
      ...(override ? [`- **Set by hand:** ${override.severity} by ${override.by}: ${plain(override.reason)}`] : []),
      `- **Began:** ${milestones.startedAt}`,
      `- **Detected:** ${milestones.openedAt}`,
      `- **Acknowledged:** ${milestones.acknowledgedAt ? `${milestones.acknowledgedAt} by ${record.acknowledgedBy}` : 'by nobody'}`,
      `- **Mitigated:** ${milestones.mitigatedAt ?? 'not by a runbook'}`,
      `- **Resolved:** ${milestones.resolvedAt ?? 'not yet'}${record.resolvedBy ? ` by ${record.resolvedBy}` : ''}`,
      `- **Time to acknowledge:** ${mttaMs === undefined ? 'none' : formatDuration(mttaMs)}`,
      `- **Time to recover:** ${mttrMs === undefined ? 'none' : formatDuration(mttrMs)}`,
    ].join('\n'),
    '## Alerts',
    alerts.total === 0
      ? 'None: a person opened it.'
      : [
          `${alerts.total} in all${alerts.total > alerts.kept.length ? `; the first ${alerts.kept.length}` : ''}:`,
          ...alerts.kept.map((alert) => `- ${alert.startsAt} ${plain(nameOf(alert))} (${alert.fingerprint})`),
        ].join('\n'),
    '## Runbooks',
    runbooks.length === 0
      ? 'None ran.'
      : runbooks
          .map(({ purpose, runbook, outcome, workflowId }) => `- ${purpose}: ${runbook}: ${outcome} (${workflowId})`)
          .join('\n'),
    '## Timeline (UTC)',
    record.timeline.map(({ at, text }) => `- ${at} ${plain(text)}`).join('\n'),
    '## To be filled in',
    ['- Root cause:', '- What went well:', '- What went wrong:', '- Action items, each with an owner and a date:'].join(
      '\n',
    ),
    '',
  ].join('\n\n');
}

/** Texts of alerts and people in one line, and without what Markdown would take for structure. */
const plain = (text: string): string => text.replaceAll(/[<>|`\s]+/g, ' ').trim();
