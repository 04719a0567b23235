import type { WindowPart, WindowSlice } from '../../contracts/maintenance-window.ts';
import type { Plan, PlannedChange } from '../../contracts/plan.ts';
import type { WindowTask } from '../../contracts/window.ts';
import { formatDuration } from '../duration.ts';

export const iso = (at: number): string => new Date(at).toISOString();

/** `vacuum: table=orders` */
export const taskText = ({ runbook, with: given }: WindowTask): string => {
  const parameters = Object.entries(given).map(([name, value]) => `${name}=${value}`);
  return parameters.length > 0 ? `${runbook}: ${parameters.join(', ')}` : runbook;
};

/** What a window would do, with what maintenance mode would change. */
export function windowPlan(slice: WindowSlice, mode: string[]): Plan {
  const { spec, opening, work, databases, verifies = [], scopes, digest, closed, coveredBy } = slice;
  const tasks = (part: WindowPart, why: string): PlannedChange[] =>
    work[part].map((task) => ({ verb: 'run', kind: 'runbook', name: taskText(task), why }));
  return {
    facts: [
      { label: 'window', text: `${slice.window}: ${spec.description}` },
      { label: 'opens', text: `${iso(opening.opensAt)}, on ${opening.date} in ${spec.zone}` },
      {
        label: 'ends',
        text: `${iso(opening.closesAt)}; no task begins after ${iso(opening.lastStartAt)}`,
      },
      ...(slice.included.length > 0 ? [{ label: 'includes', text: slice.included.join(', ') }] : []),
    ],
    changes: [
      ...databases.map(({ database }): PlannedChange => ({
        verb: 'create',
        kind: 'backup',
        name: database,
        why: 'before anything changes',
      })),
      ...verifies.map(({ database }): PlannedChange => ({
        verb: 'run',
        kind: 'test restore',
        name: database,
        why: 'of its newest backup, into a scratch database; old backups expire when it is good',
      })),
      ...tasks('before', 'checklist before'),
      ...mode.map((line): PlannedChange => ({ verb: 'run', kind: 'maintenance mode', name: 'on', why: line })),
      ...tasks('tasks', 'task'),
      ...(spec.mode
        ? [{ verb: 'run' as const, kind: 'maintenance mode', name: 'off', why: 'however the tasks end' }]
        : []),
      ...tasks('after', 'checklist after'),
    ],
    refusals: closed ? [{ code: 'closed', message: `Window ${slice.window} is closed: ${closed}.` }] : [],
    warnings: coveredBy ? [`It stays closed: window ${coveredBy} is open at the time and does its tasks.`] : [],
    gates: [],
    blastRadius: `${scopes.join(', ')} in ${slice.environment} of ${slice.system} (context ${slice.cluster.context}, namespace ${slice.namespace})${spec.mode ? '; maintenance mode meanwhile' : ''}`,
    reversibility: 'maintenance mode is always taken off; each task takes back what its runbook says',
    expectedDurationMs: spec.duration,
    digest: `${digest}/${slice.window}/${opening.date}`,
  };
}

/** What people hear of a window that lasts longer than it should. */
export const overrunText = (slice: WindowSlice, doing: string, sinceMs: number): string =>
  `Window ${slice.window} of ${slice.system} ${slice.environment} is over by ${formatDuration(sinceMs)} and still at: ${doing}. Abort it to stop and take maintenance mode off: windlass abort.`;
