import type { AcquireRequest, LeaseGrant, TakenFrom } from '../../contracts/change-control.ts';
import { LONGEST_MUTATION_MS, PRIORITY, STAND_DOWN_GRACE_MS } from './rules.ts';
import { inOrder, isSame, isUrgent, type HeldLease, type LeaseState } from './state.ts';

/** What keeps a request out, and until when if only time is needed. */
export interface Obstacle {
  lease: HeldLease;
  kind: 'busy' | 'dirty';
  /** Unix milliseconds. */
  until?: number;
}

/** What keeps a request out now; undefined when it can be admitted. The worst obstacle is named first. */
export function obstacleTo(state: LeaseState, request: AcquireRequest, now: number): Obstacle | undefined {
  const found = state.leases.flatMap((lease) => obstacleOf(lease, request, now) ?? []);
  return found.find(({ kind }) => kind === 'dirty') ?? found.find(({ lease }) => lease.mode === 'hold') ?? found[0];
}

function obstacleOf(lease: HeldLease, request: AcquireRequest, now: number): Obstacle | undefined {
  if (lease.scope !== request.scope) return undefined;
  if (lease.dirty) return obstacleOfDirty(lease, lease.dirty.since, request, now);
  if (isSame(lease.holder, request.holder)) return undefined;
  if (lease.mode === 'reserve') return isUrgent(request.priority) ? undefined : { lease, kind: 'busy' };
  if (!displaces(request, lease) || !lease.standDown) return { lease, kind: 'busy' };
  const { until } = lease.standDown;
  return until <= now ? undefined : { lease, kind: 'busy', until };
}

/** A reservation of a rollback changes nothing yet, so it need not wait until the dead holder's last call is over. */
function obstacleOfDirty(lease: HeldLease, since: number, request: AcquireRequest, now: number): Obstacle | undefined {
  if (!isUrgent(request.priority)) return { lease, kind: 'dirty' };
  const until = since + LONGEST_MUTATION_MS;
  return request.mode === 'reserve' || until <= now ? undefined : { lease, kind: 'dirty', until };
}

/** Whether a request may push the holder of a lease aside. */
export function displaces(request: AcquireRequest, lease: HeldLease): boolean {
  return (
    request.preempt &&
    request.mode === 'hold' &&
    lease.mode === 'hold' &&
    isUrgent(request.priority) &&
    PRIORITY[request.priority] > PRIORITY[lease.priority]
  );
}

/** Asks a holder to stand down, once. */
export function askToStandDown(draft: LeaseState, lease: HeldLease, request: AcquireRequest, now: number): void {
  if (lease.standDown) return;
  const by = request.holder;
  replace(draft, lease, { ...lease, standDown: { by, until: now + STAND_DOWN_GRACE_MS } });
  const payload = { scope: lease.scope, by, graceMs: STAND_DOWN_GRACE_MS };
  draft.outbox.push({ id: ++draft.lastSignal, holder: lease.holder, signal: 'standDown', payload });
}

/**
 * Gives the lease or reservation to a request that nothing keeps out.
 * @param handedOver set when the former holder stood down for it
 */
export function admit(draft: LeaseState, request: AcquireRequest, now: number, handedOver?: TakenFrom): LeaseGrant {
  const { requestId, scope, holder, priority, mode } = request;
  const grant: LeaseGrant = { requestId, scope, sequence: ++draft.sequence };
  const entry: HeldLease = { scope, mode, holder, priority, requestId, since: now };
  if (mode === 'reserve') {
    draft.leases = draft.leases.filter((lease) => !isOwn(lease, request));
    draft.leases.push(entry);
    return grant;
  }
  const former = draft.leases.find((lease) => lease.scope === scope && lease.mode === 'hold');
  const own = former && !former.dirty && isSame(former.holder, holder) ? former : undefined;
  const takenFrom = handedOver ?? (former && !own ? takeOver(former) : own?.takenFrom);
  // Never below the clock: a change control that was reset or started anew still outranks the fences it left behind.
  const token = Math.max(draft.lastToken + 1, Math.floor(now / 1000));
  draft.lastToken = token;
  draft.leases = draft.leases.filter((lease) => lease !== former && !isOwn(lease, request));
  draft.leases.push({
    ...entry,
    token,
    ...(takenFrom ? { takenFrom } : {}),
    ...(own?.standDown ? { standDown: own.standDown } : {}),
  });
  return { ...grant, token, ...(takenFrom ? { takenFrom } : {}) };
}

const isOwn = (lease: HeldLease, request: AcquireRequest): boolean =>
  lease.scope === request.scope && lease.mode === 'reserve' && isSame(lease.holder, request.holder);

const takeOver = ({ holder, dirty }: HeldLease): TakenFrom => ({ holder, how: dirty ? 'dirty' : 'displaced' });

/** Admits from the queue whomever nothing keeps out any more, and tells them by signal. */
export function serveQueue(draft: LeaseState, now: number): void {
  for (;;) {
    const next = inOrder(draft.queue).find(({ request }) => !obstacleTo(draft, request, now));
    if (!next) return;
    grantBySignal(draft, next.request, now);
  }
}

/** Admits one request of the queue and tells it by signal. */
export function grantBySignal(draft: LeaseState, request: AcquireRequest, now: number, handedOver?: TakenFrom): void {
  draft.queue = draft.queue.filter((waiting) => waiting.request !== request);
  const payload = admit(draft, request, now, handedOver);
  draft.outbox.push({ id: ++draft.lastSignal, holder: request.holder, signal: 'leaseGranted', payload });
}

/** When time alone lets a waiting request in or ends a freeze; undefined when nothing waits for time. Unix milliseconds. */
export function nextWake(state: LeaseState, now: number): number | undefined {
  const times = [
    ...state.queue.flatMap(({ request }) => obstacleTo(state, request, now)?.until ?? []),
    ...(state.freezes ?? []).map(({ until }) => until),
  ];
  return times.length > 0 ? Math.min(...times) : undefined;
}

export function replace(draft: LeaseState, lease: HeldLease, by: HeldLease): void {
  draft.leases = draft.leases.map((each) => (each === lease ? by : each));
}
