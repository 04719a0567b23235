import type { IncidentAlert } from '../../contracts/handle-incident.ts';

/** Distinct alerts that an incident keeps; of more it only counts. A storm must not fill its state. */
export const KEPT_ALERTS = 200;
/** Characters of all that are kept: a new history takes them twice, in a payload that may have 2 MiB. */
export const KEPT_CHARACTERS = 200_000;
/** Distinct alerts that are told apart at all; beyond them the state would not fit a payload any more. */
export const KNOWN_ALERTS = 5000;

/** The alerts of an incident, by fingerprint and start: one that is sent again is the same one. */
export interface Ledger {
  /** Key → whether it fires. */
  known: Record<string, boolean>;
  /** The first ones in full. */
  kept: IncidentAlert[];
  firing: number;
  total: number;
  /** Milliseconds since the epoch: since when none fires. */
  quietSince?: number;
}

export const emptyLedger = (): Ledger => ({ known: {}, kept: [], firing: 0, total: 0 });

/** What makes two messages about one alert the same. */
export const keyOf = ({ fingerprint, startsAt }: Pick<IncidentAlert, 'fingerprint' | 'startsAt'>): string =>
  `${fingerprint}/${Date.parse(startsAt)}`;

/** The alerts of a webhook entered into the ledger. @returns those that were news */
export function enter(ledger: Ledger, alerts: IncidentAlert[], at: number): { ledger: Ledger; news: IncidentAlert[] } {
  let left = KEPT_CHARACTERS - sizeOf(ledger.kept);
  const next: Ledger = { ...ledger, known: { ...ledger.known }, kept: [...ledger.kept] };
  const news = alerts.filter((alert) => {
    const key = keyOf(alert);
    const before = Object.hasOwn(next.known, key) ? next.known[key] : undefined;
    const fires = alert.status === 'firing';
    // An end without a beginning is of an incident that is over; an alert that ended does not begin again.
    if (before === undefined ? !fires : !before || fires) return false;
    if (before === undefined) {
      if (next.total >= KNOWN_ALERTS) return false;
      next.total++;
      if (next.kept.length < KEPT_ALERTS && (left -= sizeOf(alert)) >= 0) next.kept.push(alert);
    }
    next.known[key] = fires;
    next.firing += fires ? 1 : -1;
    return true;
  });
  if (next.firing > 0) delete next.quietSince;
  else if (news.length > 0) next.quietSince = at;
  return { ledger: next, news };
}

const sizeOf = (value: unknown): number => JSON.stringify(value).length;

/** The ledger without alerts that are known from elsewhere. */
export function without(ledger: Ledger, keys: readonly string[]): Ledger {
  const gone = new Set(keys);
  const left = Object.entries(ledger.known).filter(([key]) => !gone.has(key));
  return {
    ...ledger,
    known: Object.fromEntries(left),
    kept: ledger.kept.filter((alert) => !gone.has(keyOf(alert))),
    firing: left.filter(([, fires]) => fires).length,
    total: left.length,
  };
}

/** Whether an alert of this name fires; one of which too many came to be kept is taken to. */
export function firesStill({ kept, known }: Ledger, name: string): boolean {
  const those = kept.filter(({ labels }) => labels['alertname'] === name);
  return those.length === 0 || those.some((alert) => known[keyOf(alert)]);
}
