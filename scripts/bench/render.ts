import type { AlertsReport, AlertsSeries } from './alerts.ts';
import type { AuditSearchReport } from './audit-search.ts';
import type { BackupReport } from './backup.ts';
import type { Cost } from './history.ts';
import type { Move } from './moves.ts';
import { QUIET, type Machine, type MachineLoad } from './machine.ts';
import type { PromoteReport, PromoteSeries } from './promote.ts';
import type { Summary } from './statistics.ts';
import type { StormReport } from './storm.ts';
import type { TrafficPart, TrafficReport } from './traffic.ts';

export function renderPromote({ machine, series }: PromoteReport): string {
  return [renderMachine(machine), ...series.map(renderSeries)].join('\n\n');
}

function renderSeries({ parked, loadBefore, loadAfter, phasesP50, samples, ...figures }: PromoteSeries): string {
  return [
    `Decision → selector patched, ${samples.length} decisions, ${parked} procedures parked on the same worker`,
    `  selector patched      ${renderSummary(figures.switchedMs)}`,
    `  answer to the person  ${renderSummary(figures.answeredMs)}`,
    `  machine ≤ ${QUIET * 100} % busy   ${renderSummary(figures.quietSwitchedMs)}`,
    `  p50 of its parts      ${Object.entries(phasesP50)
      .map(([phase, ms]) => `${phase} ${ms}`)
      .join(', ')} ms`,
    `  load                  before ${renderLoad(loadBefore)}; after ${renderLoad(loadAfter)}`,
  ].join('\n');
}

export function renderTraffic({ machine, loadBefore, loadAfter, windlass, rollingUpdate }: TrafficReport): string {
  return [
    renderMachine(machine),
    `load before ${renderLoad(loadBefore)}; after ${renderLoad(loadAfter)}`,
    '',
    'Windlass: a release, the deletion of the old color, a rollback by redeployment',
    ...renderPart(windlass),
    `  release               ${renderMove(windlass.release)}`,
    `  rollback              ${renderMove(windlass.rollback)}`,
    '',
    'Plain rolling update there and back, same application, same replicas',
    ...renderPart(rollingUpdate),
    `  both versions served  ${rollingUpdate.mixedMs.map((ms) => `${ms} ms`).join(', then ')}`,
    '',
    'History events and billable actions (heartbeats and queries come on top)',
    ...Object.entries(windlass.costs).map(([name, cost]) => `  ${name.padEnd(20)}  ${renderCost(cost)}`),
  ].join('\n');
}

export function renderBackup(report: BackupReport): string {
  const { machine, loadBefore, loadAfter, dumpBytes, rounds } = report;
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const rate = (ms: number): string => `${Math.round(dumpBytes / 1000 / ms)} MB/s`;
  const line = (what: string, raw: number, ours: number, whole: number): string =>
    `  ${what}  plain pipe ${seconds(raw)} (${rate(raw)}), Windlass ${seconds(ours)} (${rate(ours)}), whole procedure ${seconds(whole)}`;
  return [
    renderMachine(machine),
    `load before ${renderLoad(loadBefore)}; after ${renderLoad(loadAfter)}`,
    `A dump of ${Math.round(dumpBytes / 1e6)} MB, ${rounds.length} rounds in turn`,
    ...rounds.flatMap((each) => [
      line('backup ', each.rawBackupMs, each.streamMs, each.backupProcedureMs),
      line('restore', each.rawRestoreMs, each.restoreMs, each.verifyProcedureMs),
    ]),
    `  median throughput ÷ that of the plain pipe: backup ${report.backupRatio}, restore ${report.restoreRatio}`,
    `  the worker held ${report.workerPeakMiB} MiB at most`,
  ].join('\n');
}

export const renderAlerts = ({ machine, series, storms }: AlertsReport): string =>
  [renderMachine(machine), ...series.map(renderAlertsSeries), ...storms.map(renderStorm)].join('\n\n');

function renderAlertsSeries({
  perSecond,
  samples,
  loadBefore,
  loadDuring,
  phasesP50,
  ...figures
}: AlertsSeries): string {
  return [
    `Alert sent → first activity of its remedy started, ${samples.length} alerts at ${perSecond}/s, an incident each`,
    `  activity started      ${renderSummary(figures.remedyMs)}`,
    `  answer to the sender  ${renderSummary(figures.answeredMs)}`,
    `  p50 of its parts      ${Object.entries(phasesP50)
      .map(([phase, ms]) => `${phase} ${ms}`)
      .join(', ')} ms`,
    `  load                  before ${renderLoad(loadBefore)}; during ${renderLoad(loadDuring)}`,
  ].join('\n');
}

const renderStorm = (storm: StormReport): string =>
  [
    `A storm of ${storm.alerts} alerts of one cause, ${storm.how}, ${storm.webhooks} webhooks`,
    `  incidents             ${storm.incidents}, with ${storm.counted} alerts counted and ${storm.remedies} remedy; ${storm.outcome}`,
    `  all alerts in it      ${storm.allInMs} ms after the first was sent`,
    `  answers               ${storm.refused} refused; ${renderSummary(storm.answeredMs)}`,
    `  its history           ${storm.events} events, ${storm.historyBytes} bytes, ${storm.signals} signals, ${storm.failedWorkflowTasks} workflow tasks failed`,
    `  load                  before ${renderLoad(storm.loadBefore)}; after ${renderLoad(storm.loadAfter)}`,
  ].join('\n');

export function renderAuditSearch({
  machine,
  loadBefore,
  loadAfter,
  records,
  bytes,
  searches,
}: AuditSearchReport): string {
  return [
    renderMachine(machine),
    `load before ${renderLoad(loadBefore)}; after ${renderLoad(loadAfter)}`,
    `${records} records, ${Math.round(bytes / 2 ** 20)} MiB with their indexes`,
    ...searches.map(
      ({ what, found, first, times }) =>
        `  ${what.padEnd(40)} ${String(found).padStart(4)} found; first ${first.toFixed(1)}, then p50 ${times.p50.toFixed(1)}, max ${times.max.toFixed(1)} ms`,
    ),
  ].join('\n');
}

function renderPart({ rate, load }: TrafficPart): string[] {
  const { issued, failed, failures, latencyMs, connections } = load;
  const kinds = failures.map(({ kind, version, count }) => `${count} ${kind} (${version ?? 'no answer'})`);
  return [
    `  requests              ${issued} at ${rate}/s, ${failed} failed${kinds.length > 0 ? `: ${kinds.join(', ')}` : ''}`,
    `  connections           ${connections.new.opened} for one request each, ${connections.kept.opened} kept for ${connections.kept.requests} requests`,
    `  answers               ${latencyMs ? `p50 ${latencyMs.p50.toFixed(1)}, p99 ${latencyMs.p99.toFixed(1)}, max ${latencyMs.max.toFixed(0)} ms` : 'none'}`,
  ];
}

const renderMove = ({ from, to, within5s, lastOldAfterMs }: Move): string =>
  `${from} → ${to}: ${(within5s.share * 100).toFixed(2)} % of ${within5s.connections} new connections on ${to} within 5 s; last ${from} ${lastOldAfterMs} ms after the patch`;

const renderCost = ({ events, actions, actionsByKind }: Cost): string =>
  `${events} events, ${actions} actions: ${Object.entries(actionsByKind)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ')}`;

export const renderMachine = ({ processors, model, memoryGiB, kernel, node }: Machine): string =>
  `${processors} × ${model}, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}`;

export const renderLoad = ({ average, busy }: MachineLoad): string =>
  `${average.join(' ')} (${Math.round(busy * 100)} % busy)`;

export function renderSummary(summary: Summary | undefined): string {
  if (!summary) return 'none';
  const { count, ...figures } = summary;
  const text = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(0)}`);
  return `${text.join(', ')} ms (${count})`;
}
