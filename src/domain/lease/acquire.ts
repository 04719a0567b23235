import type { AcquireReply, AcquireRequest } from '../../contracts/change-control.ts';
import { admit, askToStandDown, displaces, obstaclesTo, obstacleTo, type Obstacle } from './admission.ts';
import { LONGEST_QUEUE, REMEMBERED_ANSWERS } from './rules.ts';
import { draftOf, inOrder, isSame, isUrgent, scopesOf, type LeaseState } from './state.ts';
import { wayBack } from './way-back.ts';

/**
 * Answers a request at once: granted, reserved, queued or refused. A repeated request id gets the answer of the first
 * time and changes nothing.
 */
export function acquire(
  state: LeaseState,
  request: AcquireRequest,
  now: number,
): { state: LeaseState; reply: AcquireReply } {
  const known = state.answers.find(({ requestId }) => requestId === request.requestId);
  if (known) return { state, reply: known.reply };
  const draft = draftOf(state);
  const reply = answer(draft, request, now);
  draft.answers = [...draft.answers, { requestId: request.requestId, reply }].slice(-REMEMBERED_ANSWERS);
  return { state: draft, reply };
}

function answer(draft: LeaseState, request: AcquireRequest, now: number): AcquireReply {
  const { holder, mode } = request;
  const scopes = scopesOf(request);
  // A reset holder asks anew: its former place belongs to what the reset took back.
  draft.queue = draft.queue.filter(
    (waiting) => !(overlaps(waiting.request, scopes) && isSame(waiting.request.holder, holder)),
  );
  const isHeld = (scope: string): boolean =>
    draft.leases.some(
      (lease) => lease.scope === scope && lease.mode === 'hold' && !lease.dirty && isSame(lease.holder, holder),
    );
  // A reset holder that goes back to its gates keeps its lease: the target may be half changed.
  if (mode === 'reserve' && scopes.every(isHeld)) return { status: 'reserved', sequence: ++draft.sequence };
  const obstacle = obstacleTo(draft, request, now);
  if (obstacle) return queueOrRefuse(draft, request, obstacle, now);
  const { token, sequence, takenFrom } = admit(draft, request, now);
  if (token === undefined) return { status: 'reserved', sequence };
  return { status: 'granted', token, sequence, ...(takenFrom ? { takenFrom } : {}) };
}

function queueOrRefuse(draft: LeaseState, request: AcquireRequest, obstacle: Obstacle, now: number): AcquireReply {
  const { kind, lease } = obstacle;
  const all = obstaclesTo(draft, request, now);
  const preempted = all.flatMap(({ kind: of, held }) =>
    of === 'busy' && held && displaces(request, held) ? held : [],
  );
  const mayWait = all.every(({ kind: of, held }) =>
    of === 'dirty' ? isUrgent(request.priority) : (held && preempted.includes(held)) || request.onBusy === 'queue',
  );
  if (!mayWait || draft.queue.length >= LONGEST_QUEUE) {
    const message = kind === 'dirty' && !mayWait ? describeDirty(draft, obstacle) : describeBusy(draft, obstacle);
    return { status: 'refused', code: kind, message, sequence: ++draft.sequence, holder: lease.holder };
  }
  for (const each of preempted) askToStandDown(draft, each, request, now);
  draft.queue.push({ request, since: now });
  const scopes = scopesOf(request);
  const ofScope = inOrder(draft.queue).filter((waiting) => overlaps(waiting.request, scopes));
  const position = 1 + ofScope.findIndex((waiting) => waiting.request === request);
  return { status: 'queued', position, behind: lease.holder };
}

function describeDirty({ at }: LeaseState, { lease }: Obstacle): string {
  return (
    `${lease.scope} in ${at.environment} may be half changed: ${lease.dirty?.reason}. ` +
    `${wayBack(at, lease.scope)} send Signal repair to change-control/${at.system}/${at.environment}.`
  );
}

function describeBusy({ at, queue }: LeaseState, { lease }: Obstacle): string {
  const { holder, mode, scope } = lease;
  const full = queue.length >= LONGEST_QUEUE ? `, and the queue is full (${LONGEST_QUEUE})` : '';
  return (
    `${scope} in ${at.environment} is ${mode === 'hold' ? 'held' : 'reserved'} by ${holder.workflowId} ` +
    `(${holder.procedure}: ${holder.summary}, asked by ${holder.requestedBy})${full}. ` +
    `Wait for it, or ask with onBusy "queue" to go next.`
  );
}

const overlaps = (request: AcquireRequest, scopes: string[]): boolean =>
  scopesOf(request).some((each) => scopes.includes(each));
