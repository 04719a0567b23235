import type { GateView, VoteView } from '../../contracts/gates.ts';
import type { ProgressView } from '../../contracts/progress.ts';
import { whoVoted } from '../../domain/gate-view.ts';
import { plain, type Paint, type Style } from '../io.ts';
import type { RunStatus, RunView } from '../server/runs.ts';
import { whatToStart, type UnservedQueue } from '../server/unserved.ts';
import { ago, clock, field, indent, until } from './text.ts';

/** What `status ID` knows; `progress` and `gates` are absent when no worker answered. */
export interface StatusView {
  run: RunView;
  worker: 'answered' | 'no-worker' | 'not-understood';
  progress?: ProgressView;
  gates?: GateView[];
  /** Where its activities wait for a worker that is not there. */
  unserved?: UnservedQueue[];
  /** How a closed procedure ended. */
  ending?: Ending;
  link?: string;
}

export type Ending = { ok: true; result: unknown } | { ok: false; type: string; message: string };

const STATUS_STYLE: Record<RunStatus, Style> = {
  running: 'cyan',
  paused: 'yellow',
  completed: 'green',
  'continued-as-new': 'cyan',
  failed: 'red',
  canceled: 'yellow',
  terminated: 'red',
  'timed-out': 'red',
};

export const paintStatus = (status: RunStatus, paint: Paint): string => paint(STATUS_STYLE[status], status);

/** The lines of one procedure: what happens, who is awaited, what to type, and the way back by hand. */
export function renderStatus(view: StatusView, now: number, paint: Paint = plain, timelineLength = 10): string {
  const { run, progress } = view;
  const open = run.status === 'running' || run.status === 'paused';
  const awaiting = progress?.awaiting ?? run.awaiting;
  const escape = progress?.escape ?? run.escape;
  return [
    `${paint('bold', run.id)}  ${paintStatus(run.status, paint)}${phaseOf(view) ? `, ${phaseOf(view)}` : ''}`,
    ...(run.summary ? [field('for', run.summary)] : []),
    ...(run.breakGlass ? [field('emergency', paint('red', run.breakGlass))] : []),
    field('started', `${ago(run.startedAt, now)}${run.requestedBy ? ` by ${run.requestedBy}` : ''}`),
    ...(run.closedAt ? [field('ended', ago(run.closedAt, now))] : []),
    ...(open && progress ? [field('now', paint('bold', progress.step))] : []),
    ...(open && progress?.next ? [field('next', progress.next)] : []),
    ...(open && progress?.etaAt ? [field('expected', `${until(progress.etaAt, now)}`)] : []),
    ...(open && progress?.held
      ? [field('on hold', `${progress.held.by}: ${progress.held.reason}; go on: windlass resume ${run.id}`)]
      : []),
    ...(open && awaiting.length > 0 ? [field('waits for', paint('yellow', awaiting.join(', ')))] : []),
    ...(open && progress ? progress.lines.map((line) => `  - ${line}`) : []),
    ...(open ? (view.gates ?? []).flatMap((gate) => renderGate(gate, run.id, now, paint)) : []),
    ...renderEnding(view.ending, paint),
    ...(progress && progress.timeline.length > 0
      ? ['so far:', ...renderTimeline(progress.timeline, timelineLength)]
      : []),
    ...(open && view.worker !== 'answered' ? [paint('yellow', WORKER_NOTE[view.worker])] : []),
    ...(open ? (view.unserved ?? []).map((queue) => paint('yellow', whatToStart(queue))) : []),
    ...(escape ? ['back by hand:', `  ${escape}`] : open ? [NO_ESCAPE] : []),
    ...(view.link ? [field('look', view.link)] : []),
  ].join('\n');
}

const WORKER_NOTE = {
  'no-worker': "No worker answers: shown from the server's records. It goes on when a worker runs.",
  'not-understood': "The worker does not know this question: shown from the server's records.",
} as const;

const NO_ESCAPE = 'back by hand: not known yet; nothing was changed so far, or the plan is still being made';

function phaseOf({ run, progress }: StatusView): string | undefined {
  return run.status === 'running' || run.status === 'paused' ? (progress?.phase ?? run.phase) : undefined;
}

/** A gate, with what to type when it waits. */
export function renderGate(gate: GateView, id: string, now: number, paint: Paint = plain): string[] {
  const needed = gate.quorum > 1 ? ` (${gate.approvals.length} of ${gate.quorum})` : '';
  const votes = gate.brokenGlass ? [] : gate.approvals.map(voteText);
  const last = gate.rejection ?? gate.withdrawal;
  const by = last ? voteText(last) : votes.join(', ');
  const head = `gate ${paint('bold', gate.name)}: ${paintOutcome(gate, paint)}${needed}${by ? ` (${by})` : ''}`;
  if (gate.brokenGlass)
    return [`${head} ${paint('red', 'BREAK-GLASS')}: passed alone by ${voteText(gate.brokenGlass)}`];
  if (gate.outcome !== 'waiting') return [head];
  return [
    `${head}, ${gate.kind} of ${gate.roles.join(' or ')}, expires ${until(gate.expiresAt, now)}${gate.identity ? `, identity ${gate.identity}` : ''}`,
    indent(gate.asks),
    indent(
      `code ${gate.code}; decide: windlass approve ${id} ${gate.name}   or: windlass reject ${id} ${gate.name} --reason …`,
    ),
  ];
}

/** `dan for ana: scanned (ticket: C-4711)`. */
function voteText(vote: VoteView): string {
  const fields = Object.entries(vote.fields ?? {}).map(([name, value]) => `${name}: ${value}`);
  return `${whoVoted(vote)}${vote.verified ? ` [${vote.verified.how}]` : ''}${vote.reason ? `: ${vote.reason}` : ''}${fields.length > 0 ? ` (${fields.join(', ')})` : ''}`;
}

const paintOutcome = ({ outcome }: GateView, paint: Paint): string =>
  paint(outcome === 'approved' ? 'green' : outcome === 'waiting' ? 'yellow' : 'red', outcome);

/** The last entries of a timeline, with how many were left out. */
export function renderTimeline(timeline: ProgressView['timeline'], length: number): string[] {
  const left = timeline.length - length;
  return [
    ...(left > 0 ? [`  … ${left} earlier`] : []),
    ...timeline.slice(-length).map(({ at, text }) => `  ${clock(at)}  ${text}`),
  ];
}

export function renderEnding(ending: Ending | undefined, paint: Paint): string[] {
  if (!ending) return [];
  if (!ending.ok) return [field('failed', paint('red', `${ending.type}: ${ending.message}`))];
  return resultLines(ending.result).map(([label, text]) => field(label, text));
}

/** The plain members of a result as fields; plans are rendered elsewhere. */
function resultLines(result: unknown): [string, string][] {
  if (typeof result !== 'object' || result === null)
    return result === undefined ? [] : [['result', JSON.stringify(result)]];
  return Object.entries(result)
    .filter(([key]) => key !== 'plan')
    .map(([key, value]) => [key, typeof value === 'object' ? JSON.stringify(value) : String(value)]);
}
