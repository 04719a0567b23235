import type { TokenIssuer } from '../../adapters/identity/tokens.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { SystemCatalog } from '../../contracts/catalog.ts';
import type { Known, Visitor } from './desk.ts';

export function identifyIn(_visitor: Visitor, _system: SystemCatalog): Known | undefined {
  return undefined;
}
export const issuersOf = (_catalog: Catalog): TokenIssuer[] => [];
