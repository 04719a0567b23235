import type { Place } from '../../contracts/scalars.ts';
import { formatDuration } from '../duration.ts';
import { isStale, knownAt, type BudgetState, type SloState } from './state.ts';
import type { Zone } from './zone.ts';

/** What a zone means for releases. */
export const MEANING: Record<Zone, string> = {
  green: 'releases go out',
  unknown: 'nothing was measured yet, and nothing is refused',
  yellow: 'releases that are not critical are paused; rollbacks and incidents pass',
  red: 'all releases are frozen; rollbacks and incidents pass',
};

/** The objectives that make the zone what it is. */
export const decisive = ({ zone, slos }: Pick<BudgetState, 'zone' | 'slos'>): SloState[] =>
  slos.filter((slo) => slo.zone === zone);

/** `availability has 3.2 % of its budget left, used up 14.1 times too fast`. */
export function describeSlo({ name, remaining, burnRate, fault, measuredAt }: SloState): string {
  const left = remaining === undefined ? 'was never measured' : `has ${remaining} % of its budget left`;
  const burning = burnRate === undefined || burnRate <= 1 ? '' : `, used up ${burnRate} times too fast now`;
  if (fault === undefined) return `${name} ${left}${burning}`;
  const when = measuredAt === undefined ? '' : `, measured at ${iso(measuredAt)}`;
  return `${name} ${left}${when}; it cannot be measured: ${fault}`;
}

/** What ends the zone, as the end of a sentence. */
export function liftedBy({ zone, name, limits, better }: SloState): string {
  if (zone !== 'red' && zone !== 'yellow') return '';
  const { returnsAt } = limits[zone];
  const held = better ? `, which it has been since ${iso(better.since)}` : '';
  return `at least ${returnsAt} % of the budget of ${name} were left for ${formatDuration(limits.holdMs)}${held}`;
}

/** One sentence for people: the zone, why, what it means and what lifts it. */
export function describeBudget(budget: BudgetState, now: number): string {
  const { zone, since } = budget;
  const slos = decisive(budget);
  const lifted = slos.map(liftedBy).filter((text) => text !== '');
  const stale = isStale(budget, now) ? ` ${staleText(budget)}` : '';
  return (
    `${zone} since ${iso(since)}: ${slos.map(describeSlo).join('; ')}.` +
    `${lifted.length > 0 ? ` It lifts when ${lifted.join(', and ')}.` : ''}${stale}`
  );
}

export function staleText(budget: Pick<BudgetState, 'slos'>): string {
  const known = knownAt(budget);
  const since = known === undefined ? 'never was measured in full' : `was last measured in full at ${iso(known)}`;
  return `Stale: it ${since}, and the zone stays as it is.`;
}

interface Story {
  place: Place;
  budget: BudgetState;
  recovery?: { plan: string; runbook?: string | undefined } | undefined;
  /** Address of the evidence. */
  evidence?: string;
}

/** What people are told of a new zone. */
export function zoneNotice({ place, budget, recovery, evidence }: Story): string {
  const { zone, former } = budget;
  const first = `Error budget of ${place.system} ${place.environment} is ${zone} (it was ${former}): ${MEANING[zone]}.`;
  return [
    first,
    describeBudget(budget, budget.at),
    ...(zone === 'green' ? [] : recoveryLines(place, recovery)),
    ...(evidence ? [`Evidence: ${evidence}`] : []),
  ].join('\n');
}

/** The record of a change of the zone, kept as evidence (Markdown). */
export function zoneRecord({ place, budget, recovery }: Story): string {
  const { zone, former, since, at } = budget;
  const rows = budget.slos.map(
    ({ name, zone: of, remaining, burnRate, limits }) =>
      `| ${name} | ${of} | ${remaining ?? 'unknown'} | ${burnRate ?? 'unknown'} | ${limits.yellow.below} to ${limits.yellow.returnsAt} | ${limits.red.below} to ${limits.red.returnsAt} |`,
  );
  return [
    `# Error budget of ${place.system} ${place.environment}: ${former} → ${zone}`,
    `Since ${iso(since)}, measured at ${iso(at)}. ${MEANING[zone]}.`,
    [
      '| objective | zone | budget left, % | burn rate | yellow, % | red, % |',
      '| --- | --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n'),
    describeBudget(budget, at),
    ...(zone === 'green' ? [] : ['## Recovery plan', ...recoveryLines(place, recovery)]),
    '',
  ].join('\n\n');
}

function recoveryLines({ system, environment }: Place, recovery: Story['recovery']): string[] {
  if (!recovery) return ['The catalog has no recovery plan.'];
  const { plan, runbook } = recovery;
  return [`Recovery plan: ${plan}`, ...(runbook ? [`Start it: windlass run ${system} ${environment} ${runbook}`] : [])];
}

export const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
