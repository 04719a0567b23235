import type { Catalog } from '../../catalog/catalog.ts';
import type { SystemCatalog } from '../../contracts/catalog.ts';
import type { TokenIssuer } from '../../contracts/identity.ts';
import { identifyPerson } from '../../domain/identify.ts';
import type { Known, Visitor } from './desk.ts';

/**
 * Whom a system knows a visitor as.
 * @param own issuer where people sign in here: it counts for systems that name none
 */
export const identifyBy =
  (own: string) =>
  ({ by, identity }: Visitor, system: SystemCatalog): Known | undefined => {
    if (by === 'token') return identifyPerson(identity, system, own);
    const user = `${identity.issuer}/${identity.subject}`;
    const found = system.people.filter(({ slack }) => slack !== undefined && user === `https://slack.com/${slack}`);
    // Two people with one account: nobody can tell which.
    return found.length === 1 ? { name: found[0]!.name, how: 'slack', granted: [] } : undefined;
  };

/** Issuers whose tokens some system takes. */
export const issuersOf = ({ systems }: Catalog): TokenIssuer[] =>
  [...systems.values()].flatMap(({ catalog }) => catalog.identity?.issuers ?? []);
