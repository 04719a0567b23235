import type { TokenIssuer } from '../../adapters/identity/tokens.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { SystemCatalog } from '../../contracts/catalog.ts';
import { identifyPerson } from '../../domain/identify.ts';
import type { Known, Visitor } from './desk.ts';

/**
 * Whom a system knows a visitor as: by their Slack user, or by their token.
 * @param own issuer where people sign in at this server: it counts for systems that name none
 */
export const identifyBy =
  (own: string) =>
  ({ how, identity }: Visitor, system: SystemCatalog): Known | undefined => {
    if (how !== 'slack') return identifyPerson(identity, system, own);
    const user = `${identity.issuer}/${identity.subject}`;
    const found = system.people.filter(({ slack }) => slack !== undefined && user === `https://slack.com/${slack}`);
    // Two people with one user: nobody can tell which.
    return found.length === 1 ? { name: found[0]!.name, granted: [] } : undefined;
  };

/** Issuers whose tokens a catalog takes, each for its systems. */
export const issuersOf = ({ systems }: Catalog): TokenIssuer[] =>
  [...systems.values()].flatMap(({ catalog }) => catalog.identity?.issuers ?? []);
