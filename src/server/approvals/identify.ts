import type { TokenIssuer } from '../../adapters/identity/tokens.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { SystemCatalog } from '../../contracts/catalog.ts';
import type { Known, Visitor } from './desk.ts';

/** Whom a system knows a visitor as: by their Slack user, or by the address that the provider verified. */
export function identifyIn({ how, identity }: Visitor, { people }: SystemCatalog): Known | undefined {
  const found = people.filter(({ slack, contact, name }) =>
    how === 'slack'
      ? slack !== undefined && `${identity.issuer}/${identity.subject}` === `https://slack.com/${slack}`
      : identity.email !== undefined && [name, contact].some((each) => each?.toLowerCase() === identity.email),
  );
  // Two people with one address: nobody can tell which.
  return found.length === 1 ? { name: found[0]!.name, granted: [] } : undefined;
}

/** Issuers whose tokens a catalog takes. */
export const issuersOf = (_catalog: Catalog): TokenIssuer[] => [];
