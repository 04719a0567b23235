import { singlePeriod } from '../calendar/freezes.ts';
import { isZone } from '../calendar/openings.ts';
import type { SystemCatalog } from '../contracts/catalog.ts';
import type { CatalogFreeze, FreezeRule } from '../contracts/freeze.ts';
import type { Problem } from './issues.ts';
import { duplicates, fault, noSuch } from './problems.ts';

/** The freezes of one environment. */
export const freezesIn = ({ freezes }: Pick<SystemCatalog, 'freezes'>, environment: string): FreezeRule[] =>
  Object.entries(freezes).flatMap(([name, freeze]) =>
    freeze.environments.includes(environment) ? [{ name, ...freeze }] : [],
  );

/** Faults of the freezes of a system. */
export function freezeProblems({ freezes, environments }: SystemCatalog): Problem[] {
  const known = Object.keys(environments);
  return Object.entries(freezes).flatMap(([name, freeze]) => [
    ...freeze.environments.flatMap((each, index) =>
      known.includes(each) ? [] : [fault(['freezes', name, 'environments', index], noSuch('environment', each, known))],
    ),
    ...timeProblems(freeze, ['freezes', name]),
  ]);
}

function timeProblems({ recurring, once }: CatalogFreeze, path: PropertyKey[]): Problem[] {
  const when = recurring ? 'recurring' : 'once';
  const zone = (recurring ?? once)?.zone ?? '';
  if (!isZone(zone))
    return [
      fault([...path, when, 'zone'], `expected UTC or a zone of the IANA database such as Europe/Paris, got "${zone}"`),
    ];
  if (recurring) return duplicates(recurring.days, (index) => [...path, when, 'days', index], 'day');
  if (!once) return [];
  const { from, until } = singlePeriod(once);
  return until > from ? [] : [fault([...path, when, 'until'], `expected an end after ${once.from}, got ${once.until}`)];
}
