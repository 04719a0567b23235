import type { BudgetMessage } from '../../src/contracts/budget-messages.ts';
import type { BudgetState } from '../../src/domain/budget/state.ts';
import { takeBudget } from '../../src/domain/budget/state.ts';
import type { ZoneLimits } from '../../src/domain/budget/zone.ts';

export const MINUTE = 60_000;
export const LIMITS: ZoneLimits = {
  yellow: { below: 50, returnsAt: 60 },
  red: { below: 10, returnsAt: 20 },
  holdMs: 30 * MINUTE,
};

/** A measurement; what is left by objective, undefined where it could not be measured. */
export const measuredAt = (at: number, left: Record<string, number | undefined>): BudgetMessage => ({
  kind: 'measured',
  requestId: `run/${at}`,
  at,
  staleAfterMs: 30 * MINUTE,
  critical: { services: ['checkout'], onRequest: true },
  slos: Object.entries(left).map(([name, remaining]) => ({
    name,
    limits: LIMITS,
    ...(remaining === undefined ? { fault: 'no data' } : { remaining, burnRate: 1 }),
  })),
});

/** The state after a message that is not late. */
export function taken(former: BudgetState | undefined, message: BudgetMessage): BudgetState {
  const reply = takeBudget(former, message);
  if (reply.late) throw new Error('the message is late');
  return reply.budget;
}

/** The state after measurements of one objective, a minute each. */
export function budgetAfter(...left: (number | undefined)[]): BudgetState {
  let state: BudgetState | undefined;
  for (const [minute, each] of left.entries())
    state = taken(state, measuredAt((minute + 1) * MINUTE, { availability: each }));
  return state!;
}
