import type { AcquireRequest, LeaseGrant, TakenFrom } from '../../contracts/change-control.ts';
import { LONGEST_MUTATION_MS, PRIORITY, STAND_DOWN_GRACE_MS } from './rules.ts';
import { inOrder, isSame, isUrgent, scopesOf, type HeldLease, type LeaseState } from './state.ts';

/** What keeps a request out, and until when if only time is needed. */
export interface Obstacle {
  /** In the way: a lease, or the claim of one that waits before it. */
  lease: Pick<HeldLease, 'scope' | 'holder' | 'mode' | 'dirty'>;
  held?: HeldLease;
  kind: 'busy' | 'dirty';
  /** Unix milliseconds. */
  until?: number;
}

/** What keeps a request out now; undefined when it can be admitted. The worst obstacle is named first. */
export function obstacleTo(state: LeaseState, request: AcquireRequest, now: number): Obstacle | undefined {
  const found = obstaclesTo(state, request, now);
  return found.find(({ kind }) => kind === 'dirty') ?? found.find(({ lease }) => lease.mode === 'hold') ?? found[0];
}

/** All that keeps a request out: it gets everything that it asks for, or nothing. */
export function obstaclesTo(state: LeaseState, request: AcquireRequest, now: number): Obstacle[] {
  const scopes = scopesOf(request);
  const leases = state.leases.filter(({ scope }) => scopes.includes(scope));
  return [...leases.flatMap((lease) => obstacleOf(lease, request, now) ?? []), ...claimsBefore(state, request)];
}

/**
 * Who waits for several scopes would wait for ever if others took them one by one: it claims them against everybody who
 * comes after it in the queue. But not against who has something of it already, because for that one it waits anyway.
 */
function claimsBefore({ leases, queue }: LeaseState, request: AcquireRequest): Obstacle[] {
  const scopes = scopesOf(request);
  const order = inOrder(queue);
  const own = order.findIndex((waiting) => waiting.request === request);
  const before =
    own < 0
      ? order.filter(({ request: { priority } }) => PRIORITY[priority] >= PRIORITY[request.priority])
      : order.slice(0, own);
  return before.flatMap(({ request: earlier }): Obstacle[] => {
    const claimed = scopesOf(earlier);
    const scope = claimed.length < 2 ? undefined : claimed.find((each) => scopes.includes(each));
    if (scope === undefined || isSame(earlier.holder, request.holder)) return [];
    const awaited = leases.some((lease) => claimed.includes(lease.scope) && isSame(lease.holder, request.holder));
    return awaited ? [] : [{ lease: { scope, holder: earlier.holder, mode: 'reserve' }, kind: 'busy' }];
  });
}

function obstacleOf(lease: HeldLease, request: AcquireRequest, now: number): Obstacle | undefined {
  if (lease.dirty) return obstacleOfDirty(lease, lease.dirty.since, request, now);
  if (isSame(lease.holder, request.holder)) return undefined;
  if (lease.mode === 'reserve') return isUrgent(request.priority) ? undefined : { lease, held: lease, kind: 'busy' };
  if (!displaces(request, lease) || !lease.standDown) return { lease, held: lease, kind: 'busy' };
  const { until } = lease.standDown;
  return until <= now ? undefined : { lease, held: lease, kind: 'busy', until };
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
export function admit(draft: LeaseState, request: AcquireRequest, now: number, handedOver?: HandedOver): LeaseGrant {
  const { requestId, scope, also, mode } = request;
  const grant: LeaseGrant = { requestId, scope, ...(also ? { also } : {}), sequence: ++draft.sequence };
  if (mode === 'reserve') {
    for (const each of scopesOf(request)) place(draft, request, each, now);
    return grant;
  }
  // Never below the clock: a change control that was reset or started anew still outranks the fences it left behind.
  const token = Math.max(draft.lastToken + 1, Math.floor(now / 1000));
  draft.lastToken = token;
  const taken = scopesOf(request).flatMap((each) => {
    const from = handedOver?.scope === each ? handedOver.from : undefined;
    return place(draft, request, each, now, { token, from }) ?? [];
  });
  return { ...grant, token, ...(taken[0] ? { takenFrom: taken[0] } : {}) };
}

/** A scope whose former holder stood down for the one who gets it now. */
export interface HandedOver {
  scope: string;
  from: TakenFrom;
}

/** Puts the lease or reservation of one scope in place. @returns from whom it was taken over */
function place(
  draft: LeaseState,
  request: AcquireRequest,
  scope: string,
  now: number,
  held?: { token: number; from: TakenFrom | undefined },
): TakenFrom | undefined {
  const { requestId, holder, priority, mode, until } = request;
  const entry: HeldLease = { scope, mode, holder, priority, requestId, since: now };
  const rest = draft.leases.filter((lease) => !isOwn(lease, scope, request));
  if (!held) {
    draft.leases = [...rest, entry];
    return undefined;
  }
  const former = draft.leases.find((lease) => lease.scope === scope && lease.mode === 'hold');
  const own = former && !former.dirty && isSame(former.holder, holder) ? former : undefined;
  const takenFrom = held.from ?? (former && !own ? takeOver(former) : own?.takenFrom);
  const lease: HeldLease = {
    ...entry,
    token: held.token,
    ...(until === undefined ? {} : { until }),
    ...(takenFrom ? { takenFrom } : {}),
    ...(own?.standDown ? { standDown: own.standDown } : {}),
  };
  draft.leases = [...rest.filter((each) => each !== former), lease];
  return takenFrom;
}

const isOwn = (lease: HeldLease, scope: string, request: AcquireRequest): boolean =>
  lease.scope === scope && lease.mode === 'reserve' && isSame(lease.holder, request.holder);

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
export function grantBySignal(draft: LeaseState, request: AcquireRequest, now: number, handedOver?: HandedOver): void {
  draft.queue = draft.queue.filter((waiting) => waiting.request !== request);
  const payload = admit(draft, request, now, handedOver);
  draft.outbox.push({ id: ++draft.lastSignal, holder: request.holder, signal: 'leaseGranted', payload });
}

/** When time alone lets a waiting request in or ends a freeze; undefined when nothing waits for time. Unix milliseconds. */
export function nextWake(state: LeaseState, now: number): number | undefined {
  const times = [
    ...state.queue.flatMap(({ request }) => obstacleTo(state, request, now)?.until ?? []),
    ...(state.freezes ?? []).map(({ until }) => until),
    ...state.leases.flatMap((lease) => (mayBeOverdue(lease) ? lease.until! : [])),
  ];
  return times.length > 0 ? Math.min(...times) : undefined;
}

const mayBeOverdue = ({ until, overdue, dirty, ended }: HeldLease): boolean =>
  until !== undefined && !overdue && !dirty && !ended;

/** Leases past the end that their holders named: the holders are told, once. They keep them, because only they can stop. */
export function markOverdue(draft: LeaseState, now: number): void {
  for (const lease of draft.leases.filter((each) => mayBeOverdue(each) && each.until! <= now)) {
    draft.sequence++;
    replace(draft, lease, { ...lease, overdue: true });
    const payload = { scope: lease.scope, until: lease.until! };
    draft.outbox.push({ id: ++draft.lastSignal, holder: lease.holder, signal: 'leaseOverdue', payload });
  }
}

export function replace(draft: LeaseState, lease: HeldLease, by: HeldLease): void {
  draft.leases = draft.leases.map((each) => (each === lease ? by : each));
}
