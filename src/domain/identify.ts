import type { SystemCatalog } from '../contracts/catalog.ts';
import type { TokenIdentity } from '../contracts/identity.ts';
import type { IdentityKind } from '../contracts/statement.ts';

/** One of a system's people, as a token says who they are. */
export interface Identified {
  name: string;
  how: Exclude<IdentityKind, 'slack'>;
  /** Roles that groups grant, besides those of the catalog. */
  granted: string[];
}

/**
 * Whom a system knows the bearer of a good token as.
 * @param own issuer that counts for systems that name none
 * @returns undefined when it is none of the system's people, or the system does not take tokens of that issuer, or two
 *   people claim to be it: nobody could tell which
 */
export function identifyPerson(
  token: TokenIdentity,
  { people, identity }: Pick<SystemCatalog, 'people' | 'identity'>,
  own?: string,
): Identified | undefined {
  const counts = identity
    ? identity.issuers.some(
        ({ issuer, audience }) =>
          issuer === token.issuer && (token.audience === undefined || token.audience === audience),
      )
    : token.issuer === own;
  if (!counts) return undefined;
  const [person, ...others] = people.filter((each) => isSame(each, token));
  if (!person || others.length > 0) return undefined;
  const granted = token.groups.flatMap((group) =>
    identity && Object.hasOwn(identity.groups, group) ? identity.groups[group]! : [],
  );
  return { name: person.name, how: person.service ? 'service' : 'oidc', granted: [...new Set(granted)] };
}

function isSame({ name, contact, identity, service }: SystemCatalog['people'][number], token: TokenIdentity): boolean {
  if (!identity)
    return !service && token.email !== undefined && [name, contact].some((each) => each?.toLowerCase() === token.email);
  if (identity.issuer !== undefined && identity.issuer !== token.issuer) return false;
  return identity.subject === undefined ? identity.email === token.email : identity.subject === token.subject;
}
