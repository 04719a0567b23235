import type { DatabaseSlice } from '../contracts/catalog.ts';
import type { DatabaseReference } from '../contracts/back-up-database.ts';
import type { Catalog } from './catalog.ts';
import { CatalogError } from './errors.ts';
import { policiesIn } from './policies.ts';
import { compileEnvironment, own, unknown, withinBounds } from './slice.ts';

/**
 * What a procedure on one database needs of the catalog.
 * @throws CatalogError as `compileEnvironment`; UnknownDatabase, also when it is not in this environment; CatalogInvalid
 *   when the slice is over 128 KiB
 */
export function compileDatabaseSlice(catalog: Catalog, ref: DatabaseReference): DatabaseSlice {
  const { loaded, environment } = compileEnvironment(catalog, ref);
  const { databases, services } = loaded.catalog;
  const policies = policiesIn(loaded.catalog.policies, ref.environment);
  const found = own(databases, ref.database);
  if (!found)
    throw unknown('UnknownDatabase', `database ${ref.database}`, `system ${ref.system}`, Object.keys(databases));
  const { servers, ...spec } = found;
  const server = own(servers, ref.environment);
  if (!server)
    throw new CatalogError(
      'UnknownDatabase',
      `database ${ref.database} of ${ref.system} has no server for ${ref.environment}; it has: ${Object.keys(servers).join(', ')}`,
    );
  const names = [...new Set(spec.dependants.flatMap(({ service }) => service ?? []))];
  return withinBounds(ref.database, {
    ...environment,
    database: ref.database,
    spec: { ...spec, name: server.database ?? spec.name },
    server,
    services: Object.fromEntries(names.map((name) => [name, services[name]!.kubernetesService])),
    policies: { backUpDatabase: policies.backUpDatabase, restoreDatabase: policies.restoreDatabase },
  });
}
