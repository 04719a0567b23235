import type { BudgetMessage, SloReport, Told, WorkflowMemory } from '../../contracts/budget-messages.ts';
import { nextZone, worstOf, type Zone, type ZoneState } from './zone.ts';

export interface SloState extends ZoneState, SloReport {
  /** When it was last measured; absent when it never was. */
  measuredAt?: number;
}

/** What change control knows of the error budgets of its environment. JSON; times are Unix milliseconds. */
export interface BudgetState {
  /** Of the last measurement. */
  at: number;
  /** The worst of its objectives, since when, and the one before. */
  zone: Zone;
  since: number;
  former: Zone;
  slos: SloState[];
  staleAfterMs: number;
  critical: { services: string[]; onRequest: boolean };
  told?: Told;
  workflow?: WorkflowMemory;
  /** The last message that was taken: a repetition has no effect. */
  requestId: string;
}

/** `late`: the message had no effect, because a newer measurement is there or nothing that it follows from. */
export type BudgetReply = { late: false; budget: BudgetState } | { late: true; budget?: BudgetState };

type Measured = Extract<BudgetMessage, { kind: 'measured' }>;
type Settled = Extract<BudgetMessage, { kind: 'settled' }>;

/** Takes a message: a late one and a repeated one have no effect. */
export function takeBudget(former: BudgetState | undefined, message: BudgetMessage): BudgetReply {
  if (former?.requestId === message.requestId) return { late: false, budget: former };
  if (message.kind === 'measured')
    return former && message.at <= former.at
      ? { late: true, budget: former }
      : { late: false, budget: measured(former, message) };
  if (!former) return { late: true };
  return message.at === former.at ? { late: false, budget: settled(former, message) } : { late: true, budget: former };
}

function measured(former: BudgetState | undefined, message: Measured): BudgetState {
  const { at, staleAfterMs, critical, requestId } = message;
  const slos = message.slos.map((slo): SloState => {
    const before = former?.slos.find(({ name }) => name === slo.name);
    const { zone, since, better } = nextZone(before, slo.remaining, slo.limits, at);
    const known = slo.remaining === undefined ? before?.measuredAt : at;
    return {
      ...slo,
      // The last that was measured stays in sight.
      ...(slo.remaining === undefined && before?.remaining !== undefined ? { remaining: before.remaining } : {}),
      zone,
      since,
      ...(better ? { better } : {}),
      ...(known === undefined ? {} : { measuredAt: known }),
    };
  });
  const zone = worstOf(slos.map((slo) => slo.zone));
  const changed = zone !== former?.zone;
  return {
    ...{ at, zone, staleAfterMs, critical, requestId, slos },
    since: changed ? at : former.since,
    former: changed ? (former?.zone ?? 'unknown') : former.former,
    ...(former?.told ? { told: former.told } : {}),
    ...(former?.workflow ? { workflow: former.workflow } : {}),
  };
}

function settled(former: BudgetState, { requestId, told, workflow }: Settled): BudgetState {
  const { workflow: known, ...rest } = former;
  const kept = workflow === undefined ? known : (workflow ?? undefined);
  return { ...rest, requestId, ...(told ? { told } : {}), ...(kept ? { workflow: kept } : {}) };
}

/** When all objectives were last known; undefined when one never was. */
export function knownAt({ slos }: Pick<BudgetState, 'slos'>): number | undefined {
  const times = slos.map(({ measuredAt }) => measuredAt);
  return times.includes(undefined) ? undefined : Math.min(...(times as number[]));
}

/** Whether what is known is too old to be trusted. */
export function isStale(budget: Pick<BudgetState, 'slos' | 'staleAfterMs' | 'since'>, now: number): boolean {
  return now - (knownAt(budget) ?? budget.since) > budget.staleAfterMs;
}
