import type {
  AcquireReply,
  AcquireRequest,
  ChangeControlInput,
  Holder,
  LeaseGrant,
  LeaseOverdue,
  Priority,
  StandDown,
  StartedFreeze,
  TakenFrom,
} from '../../contracts/change-control.ts';
import type { BudgetState } from '../budget/state.ts';
import { PRIORITY, WATCHED_IN_QUEUE } from './rules.ts';

/** How a holder's chain of runs ended. */
export type HolderEnd = 'completed' | 'failed' | 'canceled' | 'terminated' | 'timed-out' | 'not-found';

/** A lease or a reservation. Of each scope there is at most one lease; times are Unix milliseconds. */
export interface HeldLease {
  scope: string;
  mode: 'reserve' | 'hold';
  holder: Holder;
  priority: Priority;
  requestId: string;
  since: number;
  token?: number;
  /** The end that the holder named. */
  until?: number;
  /** It is past, and the holder was told. */
  overdue?: true;
  takenFrom?: TakenFrom;
  standDown?: { by: Holder; until: number };
  dirty?: { since: number; reason: string };
  /** The holder ended while the signal that grants the lease was on its way: whether it arrived decides what follows. */
  ended?: HolderEnd;
}

export interface Waiting {
  request: AcquireRequest;
  since: number;
}

/** A signal to be delivered; it stays until its delivery is known, also across continue-as-new. */
export type Outgoing = { id: number; holder: Holder } & (
  | { signal: 'leaseGranted'; payload: LeaseGrant }
  | { signal: 'standDown'; payload: StandDown }
  | { signal: 'leaseOverdue'; payload: LeaseOverdue }
);

/** All that change control knows of one environment. JSON: it is carried over by continue-as-new. */
export interface LeaseState {
  at: ChangeControlInput;
  leases: HeldLease[];
  /** In the order of arrival. */
  queue: Waiting[];
  outbox: Outgoing[];
  answers: { requestId: string; reply: AcquireReply }[];
  /** Of the error budget; absent when none was measured. */
  budget?: BudgetState;
  /** Absent until somebody starts one. */
  freezes?: StartedFreeze[];
  lastToken: number;
  lastSignal: number;
  sequence: number;
  ignored: number;
}

export function emptyState(at: ChangeControlInput): LeaseState {
  return { at, leases: [], queue: [], outbox: [], answers: [], lastToken: 0, lastSignal: 0, sequence: 0, ignored: 0 };
}

/** A copy whose lists may be changed; what is in the lists is replaced, never changed. */
export function draftOf(state: LeaseState): LeaseState {
  return { ...state, leases: [...state.leases], queue: [...state.queue], outbox: [...state.outbox] };
}

type HolderId = Pick<Holder, 'workflowId' | 'firstRunId'>;

export const isSame = (one: HolderId, other: HolderId): boolean =>
  one.workflowId === other.workflowId && one.firstRunId === other.firstRunId;

/** All that a request asks for: the first scope and those that belong to the same change. */
export const scopesOf = ({ scope, also = [] }: Pick<AcquireRequest, 'scope' | 'also'>): string[] => [scope, ...also];

/** Rollbacks and incidents: they pass reservations, may displace, and take dirty leases. */
export const isUrgent = (priority: Priority): boolean => PRIORITY[priority] >= PRIORITY.rollback;

/** The queue in the order in which it is served: by priority, then by arrival. */
export function inOrder(queue: Waiting[]): Waiting[] {
  // Array.prototype.sort is stable, so arrival is kept within a priority.
  return [...queue].sort((one, other) => PRIORITY[other.request.priority] - PRIORITY[one.request.priority]);
}

/** The holders whose end matters: of every lease that is not dirty yet, and the next in line. */
export function watchedHolders({ leases, queue }: LeaseState): Holder[] {
  const holding = leases.filter(({ dirty, ended }) => !dirty && !ended).map(({ holder }) => holder);
  const next = inOrder(queue).slice(0, WATCHED_IN_QUEUE);
  return [...holding, ...next.map(({ request }) => request.holder)];
}
