import { plain, type Paint } from '../io.ts';
import type { RunView } from '../server/runs.ts';
import type { ZoneView } from '../server/zones.ts';
import { paintStatus } from './status.ts';
import { ago, table } from './text.ts';
import { zoneLines } from './zones.ts';

/** `windlass list`: one line for each run. */
export function renderList(runs: RunView[], now: number, paint: Paint = plain): string {
  if (runs.length === 0) return 'Nothing found.';
  const rows = runs.map((run) => [
    run.id,
    paintStatus(run.status, paint),
    run.status === 'running' ? (run.phase ?? '') : '',
    run.awaiting.length > 0 && run.status === 'running' ? run.awaiting.join(', ') : '',
    run.requestedBy ?? '',
    ago(run.startedAt, now),
  ]);
  return table(['ID', 'STATUS', 'PHASE', 'WAITS FOR', 'BY', 'STARTED'], rows).join('\n');
}

/** `windlass status`: what runs, and what waits for the person who asks. */
export interface Overview {
  me: string;
  /** Undefined when nothing told the roles. */
  roles?: string[];
  waitsForMe: RunView[];
  running: RunView[];
  /** Error budgets that are not green, or stale. */
  zones?: ZoneView[];
}

/** Splits what runs into what waits for the person, by name or role, and lists both. */
export function overviewOf(me: string, roles: string[] | undefined, running: RunView[]): Overview {
  const mine = new Set([me, ...(roles ?? [])]);
  const waitsForMe = running.filter(({ awaiting }) => awaiting.some((who) => mine.has(who)));
  return { me, ...(roles ? { roles } : {}), waitsForMe, running };
}

export function renderOverview(
  { me, roles, waitsForMe, running, zones = [] }: Overview,
  now: number,
  paint: Paint = plain,
): string {
  const who = roles ? `${me} (${roles.join(', ') || 'no role'})` : me;
  const awaited = running.some(({ awaiting }) => awaiting.length > 0);
  return [
    paint('bold', `Waits for ${who}:`),
    ...(waitsForMe.length === 0
      ? [
          '  nothing',
          ...(!roles && awaited
            ? [`  (the roles of ${me} are unknown: set WINDLASS_ROLES, or run where systems/ is)`]
            : []),
        ]
      : waitsForMe.flatMap((run) => waiting(run, me, now))),
    '',
    paint('bold', 'Running:'),
    ...(running.length === 0 ? ['  nothing'] : running.flatMap((run) => runningLines(run, now, paint))),
    ...(zones.length === 0
      ? []
      : [
          '',
          paint('bold', 'Error budgets:'),
          ...zones.flatMap((zone) => zoneLines(zone, now, paint)).map((line) => `  ${line}`),
        ]),
  ].join('\n');
}

function waiting(run: RunView, me: string, now: number): string[] {
  const asked = run.requestedBy === me ? '  (you asked for it: another person may have to decide)' : '';
  return [
    `  ${run.id}  waits for ${run.awaiting.join(', ')}, started ${ago(run.startedAt, now)}${asked}`,
    `    look: windlass status ${run.id}   decide: windlass approve ${run.id}`,
  ];
}

function runningLines(run: RunView, now: number, paint: Paint): string[] {
  const awaits = run.awaiting.length > 0 ? `, waits for ${run.awaiting.join(', ')}` : '';
  return [
    `  ${run.id}  ${paint('cyan', run.phase ?? 'not started: no worker took it yet')}${awaits}, ${ago(run.startedAt, now)}`,
    ...(run.breakGlass ? [`    ${paint('red', `emergency: ${run.breakGlass}`)}`] : []),
    ...(run.escape ? [`    back by hand: ${run.escape}`] : []),
  ];
}
