import type { LeaseRelease, Holder, Repair, TakenFrom } from '../../contracts/change-control.ts';
import type { OrderResult } from '../../contracts/messages.ts';
import { grantBySignal, markOverdue, obstacleTo, replace, serveQueue } from './admission.ts';
import { expireFreezes } from './freezes.ts';
import { LONGEST_MUTATION_MS } from './rules.ts';
import {
  draftOf,
  inOrder,
  isSame,
  isUrgent,
  scopesOf,
  type HeldLease,
  type HolderEnd,
  type LeaseState,
} from './state.ts';

/** A holder gives up its lease, its reservation and its place in the queue of one scope. A stranger's word is ignored. */
export function release(state: LeaseState, { scope, holder, state: left }: LeaseRelease, now: number): LeaseState {
  const draft = draftOf(state);
  draft.queue = draft.queue.filter(
    ({ request }) => !(scopesOf(request).includes(scope) && isSame(request.holder, holder)),
  );
  const own = draft.leases.filter((lease) => lease.scope === scope && !lease.dirty && isSame(lease.holder, holder));
  if (own.length === 0 && draft.queue.length === state.queue.length) return state;
  for (const lease of own) {
    draft.sequence++;
    if (lease.mode === 'reserve') drop(draft, lease);
    else if (left === 'dirty') makeDirty(draft, lease, `${nameOf(lease.holder)} gave it up`, now);
    else handOver(draft, lease, left, now);
  }
  serveQueue(draft, now);
  return draft;
}

/** To whoever asked the holder to stand down, with a word about it; a target left midway needs such an heir. */
function handOver(draft: LeaseState, lease: HeldLease, left: 'clean' | 'handed-over', now: number): void {
  const heir = inOrder(draft.queue).find(
    ({ request }) => scopesOf(request).includes(lease.scope) && request.mode === 'hold' && isUrgent(request.priority),
  );
  // An heir that waits for more than this takes it over as dirty, when it gets all of it.
  const others = heir ? { ...draft, leases: draft.leases.filter((each) => each !== lease) } : draft;
  const ready = heir !== undefined && (!heir.request.also || !obstacleTo(others, heir.request, now));
  if (ready && (lease.standDown || left === 'handed-over')) {
    drop(draft, lease);
    const from: TakenFrom = { holder: lease.holder, how: 'stood-down' };
    grantBySignal(draft, heir.request, now, { scope: lease.scope, from });
  } else if (left === 'handed-over') {
    makeDirty(draft, lease, `${nameOf(lease.holder)} stood down midway and nobody took over`, now);
  } else {
    drop(draft, lease);
  }
}

const ENDS: Record<HolderEnd, string> = {
  completed: 'ended without releasing it',
  failed: 'failed without releasing it',
  canceled: 'was canceled without releasing it',
  terminated: 'was terminated',
  'timed-out': 'timed out',
  'not-found': 'is gone, with its history',
};

/** A holder's chain of runs has ended: its lease is dirty, its reservations and its places in the queue are void. */
export function holderEnded(
  state: LeaseState,
  holder: Pick<Holder, 'workflowId' | 'firstRunId'>,
  end: HolderEnd,
  now: number,
): LeaseState {
  const draft = draftOf(state);
  draft.queue = draft.queue.filter(({ request }) => !isSame(request.holder, holder));
  for (const lease of state.leases.filter((each) => !each.dirty && isSame(each.holder, holder))) {
    const grantUnderWay = draft.outbox.some((out) => out.signal === 'leaseGranted' && isGrantOf(out.payload, lease));
    if (grantUnderWay) replace(draft, lease, { ...lease, ended: end });
    else bury(draft, lease, end, now);
  }
  serveQueue(draft, now);
  return draft;
}

function bury(draft: LeaseState, lease: HeldLease, end: HolderEnd, now: number): void {
  draft.sequence++;
  if (lease.mode === 'reserve') drop(draft, lease);
  else makeDirty(draft, lease, `${nameOf(lease.holder)} ${ENDS[end]}`, now);
}

/**
 * What became of a signal of the outbox. A grant that could not be delivered passes on: its holder never knew of it
 * and changed nothing. What it had taken over from another stays as uncertain as it was: dirty.
 */
export function signalSettled(state: LeaseState, id: number, delivered: boolean, now: number): LeaseState {
  const out = state.outbox.find((each) => each.id === id);
  if (!out) return state;
  const draft = draftOf(state);
  draft.outbox = draft.outbox.filter((each) => each !== out);
  if (out.signal !== 'leaseGranted') return draft;
  // One that gave it up dirty has had it, whatever became of the word that it arrived.
  const granted = draft.leases.filter((each) => isGrantOf(out.payload, each) && !each.dirty);
  if (granted.length === 0) return draft;
  for (const lease of granted) {
    if (!delivered) passOn(draft, lease, now);
    else if (lease.ended) bury(draft, lease, lease.ended, now);
  }
  serveQueue(draft, now);
  return draft;
}

function passOn(draft: LeaseState, lease: HeldLease, now: number): void {
  draft.sequence++;
  if (!lease.takenFrom) return drop(draft, lease);
  const { holder } = lease.takenFrom;
  const reason = `${nameOf(holder)} left it, and ${nameOf(lease.holder)} ended before it could take over`;
  makeDirty(draft, { ...lease, holder }, reason, now);
}

/** A grace time, the wait after a death, or a freeze may be over. */
export function timePassed(state: LeaseState, now: number): LeaseState {
  const draft = expireFreezes(draftOf(state), now);
  markOverdue(draft, now);
  serveQueue(draft, now);
  return draft.sequence === state.sequence ? state : draft;
}

/** A person has checked the target of a dirty lease and says that it is well. */
export function repair(
  state: LeaseState,
  { scope, by }: Repair,
  now: number,
): { state: LeaseState; result: OrderResult } {
  const lease = state.leases.find((each) => each.scope === scope && each.dirty);
  if (!lease?.dirty) return { state, result: { accepted: false, message: `The lease on ${scope} is not dirty.` } };
  const waitMs = lease.dirty.since + LONGEST_MUTATION_MS - now;
  if (waitMs > 0) {
    const message = `Something of the dead holder may still be under way: check ${scope} again in ${Math.ceil(waitMs / 1000)} s.`;
    return { state, result: { accepted: false, message } };
  }
  const draft = draftOf(state);
  draft.sequence++;
  drop(draft, lease);
  serveQueue(draft, now);
  return { state: draft, result: { accepted: true, message: `The lease on ${scope} is clean again, says ${by}.` } };
}

function makeDirty(draft: LeaseState, lease: HeldLease, reason: string, now: number): void {
  const { standDown: _told, ended: _end, takenFrom: _former, until: _until, overdue: _overdue, ...rest } = lease;
  draft.leases = draft.leases.map((each) =>
    each.requestId === lease.requestId && each.scope === lease.scope
      ? { ...rest, dirty: { since: now, reason } }
      : each,
  );
}

function drop(draft: LeaseState, lease: HeldLease): void {
  draft.leases = draft.leases.filter((each) => each !== lease);
}

const isGrantOf = (grant: { requestId: string }, lease: HeldLease): boolean => grant.requestId === lease.requestId;

const nameOf = ({ procedure, summary, workflowId }: Holder): string => `${procedure} (${summary}, ${workflowId})`;
