import type { endFreezeSchema, StartedFreeze, startFreezeSchema } from '../../contracts/change-control.ts';
import type { OrderResult } from '../../contracts/messages.ts';
import { draftOf, type LeaseState } from './state.ts';

/** Freezes of one environment that people have started and nobody has ended; more are nobody's intention. */
export const MOST_FREEZES = 20;

type Start = ReturnType<(typeof startFreezeSchema)['parse']>;
type End = ReturnType<(typeof endFreezeSchema)['parse']>;

/** From now on until its end. What already changes something goes on; whoever asks next is refused. */
export function startFreeze(state: LeaseState, order: Start, now: number): { state: LeaseState; result: OrderResult } {
  const { name, reason, by, changes } = order;
  const until = Date.parse(order.until);
  const draft = expireFreezes(draftOf(state), now);
  const former = draft.freezes?.find((each) => each.name === name);
  const others = (draft.freezes ?? []).filter((each) => each !== former);
  if (until <= now) return refused(state, `A freeze until ${order.until} would be over: it is ${iso(now)}.`);
  if (others.length >= MOST_FREEZES)
    return refused(state, `There are ${MOST_FREEZES} freezes; end one of them first: ${namesOf(others)}.`);
  const freeze: StartedFreeze = { name, reason, by, changes, from: former?.from ?? now, until };
  draft.freezes = [...others, freeze];
  draft.sequence++;
  const place = `${state.at.system} ${state.at.environment}`;
  const message = former
    ? `Freeze ${name} of ${place} now lasts until ${iso(until)} instead of ${iso(former.until)}.`
    : `${place} is closed to ${changes.join(' and ')} until ${iso(until)} by freeze ${name}.`;
  return { state: draft, result: { accepted: true, message } };
}

export function endFreeze(
  state: LeaseState,
  { name, by }: End,
  now: number,
): { state: LeaseState; result: OrderResult } {
  const draft = expireFreezes(draftOf(state), now);
  const freeze = draft.freezes?.find((each) => each.name === name);
  if (!freeze) return refused(state, `No freeze ${name} was started by hand; there is: ${namesOf(draft.freezes)}.`);
  draft.freezes = draft.freezes!.filter((each) => each !== freeze);
  draft.sequence++;
  return { state: draft, result: { accepted: true, message: `Freeze ${name} is ended by ${by}.` } };
}

/** Drops what is over; that it ends is known from its beginning, but its number in the record says when it was seen. */
export function expireFreezes(draft: LeaseState, now: number): LeaseState {
  const left = draft.freezes?.filter(({ until }) => until > now);
  if (!left || left.length === draft.freezes!.length) return draft;
  draft.freezes = left;
  draft.sequence++;
  return draft;
}

const refused = (state: LeaseState, message: string): { state: LeaseState; result: OrderResult } => ({
  state,
  result: { accepted: false, message },
});

const namesOf = (freezes: StartedFreeze[] = []): string => freezes.map(({ name }) => name).join(', ') || 'none';

const iso = (at: number): string => new Date(at).toISOString();
