import type { SystemCatalog } from '../contracts/catalog.ts';
import type { Problem } from './issues.ts';
import { fault, noSuch } from './problems.ts';

/** Faults of how people prove who they are: providers that nobody named, two people who are one, programs without a client. */
export function identityProblems({ people, environments, identity }: SystemCatalog): Problem[] {
  const issuers = identity?.issuers.map(({ issuer }) => issuer) ?? [];
  const seen = new Map<string, string>();
  return [
    ...Object.entries(environments).flatMap(([name, environment]) =>
      environment.identity === 'verified' && !identity ? [fault(['environments', name, 'identity'], UNPROVABLE)] : [],
    ),
    ...people.flatMap((person, index): Problem[] => {
      const path = ['people', index];
      const { identity: mine, service } = person;
      if (service && mine?.subject === undefined)
        return [fault([...path, 'service'], 'expected "identity" with "subject" beside it: the client of the service')];
      if (!mine) return [];
      if (!identity) return [fault([...path, 'identity'], UNPROVABLE)];
      if (mine.issuer !== undefined && !issuers.includes(mine.issuer))
        return [fault([...path, 'identity', 'issuer'], noSuch('issuer', mine.issuer, issuers))];
      if (mine.issuer === undefined && new Set(issuers).size > 1)
        return [fault([...path, 'identity'], 'expected "issuer": there are several, and each has its own subjects')];
      const key = JSON.stringify([mine.issuer ?? issuers[0], mine.subject, mine.email]);
      const twin = seen.get(key);
      seen.set(key, person.name);
      return twin === undefined ? [] : [fault([...path, 'identity'], `expected somebody else than ${twin}`)];
    }),
  ];
}

/** Of a gate or an environment that wants a verified identity where there is no provider. */
export const UNPROVABLE = 'expected "identity" with "issuers" in the system: nobody could prove who they are';
