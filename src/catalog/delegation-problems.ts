import type { SystemCatalog } from '../contracts/catalog.ts';
import type { Problem } from './issues.ts';
import { fault, noSuch } from './problems.ts';

/**
 * Faults of delegations: to nobody, to oneself, of roles that the person has not, and chains. A delegate hands nothing
 * on, so that everybody can tell who decides for whom: a chain would also make a role outlive the date it was given for.
 */
export function delegationProblems({ people }: SystemCatalog): Problem[] {
  const names = people.map(({ name }) => name);
  return people.flatMap((giver, index) =>
    (giver.delegates ?? []).flatMap(({ to, roles }, at): Problem[] => {
      const path = ['people', index, 'delegates', at];
      const delegate = people.find(({ name }) => name === to);
      if (!delegate) return [fault([...path, 'to'], noSuch('person', to, names))];
      if (to === giver.name) return [fault([...path, 'to'], 'expected somebody else')];
      return roles.flatMap((role, place) => {
        const where = [...path, 'roles', place];
        if (!giver.roles.includes(role)) return [fault(where, noSuch(`role of ${giver.name}`, role, giver.roles))];
        const next = delegate.delegates?.find((each) => each.roles.includes(role));
        if (!next) return [];
        const chain = `${giver.name} to ${to} to ${next.to}`;
        return [fault(where, `expected no chain, got ${role} from ${chain}: name ${next.to} here`)];
      });
    }),
  );
}
