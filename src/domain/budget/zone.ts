/** From the best to the worst. Unknown is no zone to return to: nothing has been measured yet. */
export const ZONES = ['green', 'unknown', 'yellow', 'red'] as const;
export type Zone = (typeof ZONES)[number];

/** Percent of the budget that is left. */
export interface ZoneLimits {
  yellow: { below: number; returnsAt: number };
  red: { below: number; returnsAt: number };
  /** A better zone must have been measured for so long. */
  holdMs: number;
}

/** The zone of one objective. Times are Unix milliseconds. */
export interface ZoneState {
  zone: Zone;
  since: number;
  /** The worst of what was measured since it was better than the zone, and since when that is. */
  better?: { zone: Zone; since: number };
}

export const isWorse = (one: Zone, other: Zone): boolean => ZONES.indexOf(one) > ZONES.indexOf(other);

/** The worst of them; unknown when there is none. */
export const worstOf = (zones: Zone[]): Zone =>
  zones.reduce((worst, zone) => (isWorse(zone, worst) ? zone : worst), zones[0] ?? 'unknown');

/**
 * The zone after a measurement. It becomes worse at once, and better only where the limits for the way back were kept for
 * the whole of the hold time: a value that moves about a limit changes it once.
 * @param remaining percent of the budget; undefined when it could not be measured, which keeps the zone and begins the
 *   hold time anew
 */
export function nextZone(
  former: ZoneState | undefined,
  remaining: number | undefined,
  limits: ZoneLimits,
  at: number,
): ZoneState {
  if (remaining === undefined)
    return former ? { zone: former.zone, since: former.since } : { zone: 'unknown', since: at };
  const entered = zoneBelow(remaining, limits);
  if (!former || former.zone === 'unknown' || isWorse(entered, former.zone)) return moved(former, entered, at);
  const { zone, since } = former;
  const reached = zoneReached(zone, remaining, limits);
  if (reached === zone) return { zone, since };
  const better = { zone: worstOf([reached, former.better?.zone ?? reached]), since: former.better?.since ?? at };
  return at - better.since >= limits.holdMs ? moved(former, better.zone, at) : { zone, since, better };
}

const moved = (former: ZoneState | undefined, zone: Zone, at: number): ZoneState => ({
  zone,
  since: former?.zone === zone ? former.since : at,
});

function zoneBelow(remaining: number, { yellow, red }: ZoneLimits): Zone {
  if (remaining < red.below) return 'red';
  return remaining < yellow.below ? 'yellow' : 'green';
}

/** Where the way back leads from a zone: not past the limit of a zone between. */
function zoneReached(from: Zone, remaining: number, { yellow, red }: ZoneLimits): Zone {
  if (from === 'red' && remaining < red.returnsAt) return 'red';
  return from === 'green' || remaining >= yellow.returnsAt ? 'green' : 'yellow';
}
