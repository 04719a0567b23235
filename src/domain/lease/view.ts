import { describeBudget, MEANING } from '../budget/words.ts';
import type { ChangeControlState, LeaseView, StartedFreeze } from '../../contracts/change-control.ts';
import { inOrder, scopesOf, type HeldLease, type LeaseState, type Waiting } from './state.ts';
import { wayBack } from './way-back.ts';

/** The search attribute OpsPhase: the most urgent thing that is so of any scope. */
export function phaseOf({
  leases,
  freezes = [],
}: LeaseState): 'dirty' | 'overdue' | 'held' | 'frozen' | 'reserved' | 'idle' {
  if (leases.some(({ dirty }) => dirty)) return 'dirty';
  if (leases.some(({ overdue }) => overdue)) return 'overdue';
  if (leases.some(({ mode }) => mode === 'hold')) return 'held';
  if (freezes.length > 0) return 'frozen';
  return leases.length > 0 ? 'reserved' : 'idle';
}

/** What the query `state` answers. */
export function viewState(state: LeaseState): ChangeControlState {
  const { at, leases, queue, budget, freezes = [], lastToken, sequence, ignored } = state;
  return {
    ...at,
    leases: leases.map(viewLease),
    queue: inOrder(queue).map(({ request: { scope, also, mode, holder, priority }, since }) => ({
      scope,
      ...(also ? { also } : {}),
      mode,
      holder,
      priority,
      since: iso(since),
    })),
    ...(budget ? { budget } : {}),
    freezes,
    lastToken,
    sequence,
    ignored,
  };
}

function viewLease({
  scope,
  mode,
  holder,
  priority,
  token,
  since,
  until,
  overdue,
  dirty,
  standDown,
}: HeldLease): LeaseView {
  return {
    scope,
    mode,
    holder,
    priority,
    since: iso(since),
    ...(token === undefined ? {} : { token }),
    ...(until === undefined ? {} : { until: iso(until) }),
    ...(overdue ? { overdue } : {}),
    ...(dirty ? { dirty: { since: iso(dirty.since), reason: dirty.reason } } : {}),
    ...(standDown ? { standDown: { by: standDown.by, until: iso(standDown.until) } } : {}),
  };
}

/** Bytes for leases and for the queue; the server's limit of all current details is 20,000. */
const ROOM = 9000;

/** The text the Temporal UI shows (Markdown): who holds what, who waits, and what to do about a dirty lease. */
export function renderChangeControl(state: LeaseState): string {
  const { at, leases, queue, budget, freezes = [], ignored } = state;
  const dirtyFirst = [...leases].sort((one, other) => Number(Boolean(other.dirty)) - Number(Boolean(one.dirty)));
  const held = dirtyFirst.map((lease) => describeLease(state, lease));
  const waiting = inOrder(queue).map(describeWaiting);
  return [
    `## Change control of ${at.system} ${at.environment}`,
    held.length > 0 ? fit(held) : 'Nobody holds or reserves anything.',
    ...(freezes.length > 0 ? ['### Freezes', freezes.map(describeFreeze).join('\n')] : []),
    ...(waiting.length > 0 ? ['### Queue', fit(waiting)] : []),
    ...(budget
      ? [`Error budget: **${budget.zone}**: ${MEANING[budget.zone]}. It is ${describeBudget(budget, budget.at)}`]
      : []),
    ...(ignored > 0 ? [`${ignored} signals were not understood and had no effect.`] : []),
  ].join('\n\n');
}

/** As many lines as there is room for, and how many more there are. */
function fit(lines: string[]): string {
  let room = ROOM;
  const fitting = lines.findIndex((line) => (room -= byteLength(line) + 1) < 0);
  if (fitting < 0) return lines.join('\n');
  return [...lines.slice(0, fitting), '', `and ${lines.length - fitting} more`].join('\n');
}

function describeLease({ at }: LeaseState, lease: HeldLease): string {
  const { scope, mode, holder, token, since, until, overdue, dirty, standDown } = lease;
  const who = `${holder.procedure}: ${short(holder.summary)} (${short(holder.workflowId)}, asked by ${short(holder.requestedBy)})`;
  if (dirty)
    return (
      `- **${scope}** is **dirty** since ${iso(dirty.since)}: ${short(dirty.reason)}. ` +
      `${wayBack(at, scope, '`')} ` +
      `send Signal \`repair\`: \`{"scope": "${scope}", "by": "<you>", "reason": "<what you checked>"}\``
    );
  const held = mode === 'hold' ? `held, fencing token ${token}` : 'reserved';
  const leaving = standDown
    ? `; asked to stand down by ${short(standDown.by.summary)}, displaced at ${iso(standDown.until)}`
    : '';
  const end = until === undefined ? '' : overdue ? `; **overdue since ${iso(until)}**` : `; until ${iso(until)}`;
  return `- **${scope}** ${held}, since ${iso(since)} by ${who}${end}${leaving}`;
}

const describeFreeze = ({ name, reason, by, changes, until }: StartedFreeze): string =>
  `- **${name}** keeps ${changes.join(' and ')} out until ${iso(until)}, says ${by}: ${short(reason)}`;

function describeWaiting({ request, since }: Waiting, index: number): string {
  const { mode, holder, priority } = request;
  return `${index + 1}. **${scopesOf(request).join(', ')}** (${mode}, ${priority}) since ${iso(since)}: ${short(holder.summary)} (${short(holder.workflowId)})`;
}

const byteLength = (text: string): number => new TextEncoder().encode(text).length;

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();

const short = (text: string): string => (text.length > 160 ? `${text.slice(0, 159)}…` : text);
