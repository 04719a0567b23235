import type { EnvironmentSlice, ServiceSlice, SystemCatalog } from '../contracts/catalog.ts';
import type { Place, ServiceReference } from '../contracts/scalars.ts';
import type { FailureType } from '../domain/failures.ts';
import { CatalogError } from './errors.ts';
import { policiesIn } from './policies.ts';
import type { Catalog, LoadedSystem } from './catalog.ts';

/** A slice enters the history of every procedure, and with it the memory of every worker that replays one. */
export const MAX_SLICE_BYTES = 128 * 1024;

/**
 * What any procedure in an environment needs of the catalog.
 * @throws CatalogError UnknownSystem, UnknownEnvironment: each names what there is
 */
export function compileEnvironment(
  catalog: Catalog,
  { system, environment: name }: Place,
): { loaded: LoadedSystem; environment: EnvironmentSlice } {
  const loaded = catalog.systems.get(system);
  if (!loaded) throw unknown('UnknownSystem', `system ${system}`, 'the catalog', catalog.systems.keys());
  const { environments, people, identity } = loaded.catalog;
  const found = own(environments, name);
  if (!found) {
    throw unknown('UnknownEnvironment', `environment ${name}`, `system ${system}`, Object.keys(environments));
  }
  const environment: EnvironmentSlice = {
    digest: loaded.digest,
    system,
    environment: name,
    cluster: found.cluster,
    namespace: found.namespace,
    production: found.production,
    ...(found.prometheus ? { prometheus: found.prometheus } : {}),
    // Who they are for the provider is for the server, and no history needs it.
    people: people.map(({ identity: _, slack: __, ...person }) => person),
    ...policyOf(found, identity !== undefined),
    ...(found.taskQueues ? { taskQueues: found.taskQueues } : {}),
  };
  return { loaded, environment };
}

/** Absent where nobody said anything, and nobody could prove who they are. */
function policyOf(
  { identity, production }: SystemCatalog['environments'][string],
  provable: boolean,
): Pick<EnvironmentSlice, 'identity'> {
  if (identity) return { identity };
  return provable && production ? { identity: 'verified' } : {};
}

/**
 * What a procedure on one service needs of the catalog.
 * @throws CatalogError as `compileEnvironment`; UnknownService; CatalogInvalid when the slice is over 128 KiB
 */
export function compileSlice(catalog: Catalog, ref: ServiceReference): ServiceSlice {
  const { loaded, environment } = compileEnvironment(catalog, ref);
  const { services } = loaded.catalog;
  const policies = policiesIn(loaded.catalog.policies, ref.environment);
  const spec = own(services, ref.service);
  if (!spec) throw unknown('UnknownService', `service ${ref.service}`, `system ${ref.system}`, Object.keys(services));
  return withinBounds(ref.service, { ...environment, service: ref.service, spec, policies });
}

/** @throws CatalogError CatalogInvalid when a slice is over 128 KiB */
export function withinBounds<Slice extends EnvironmentSlice>(about: string, slice: Slice): Slice {
  const bytes = Buffer.byteLength(JSON.stringify(slice));
  if (bytes <= MAX_SLICE_BYTES) return slice;
  throw new CatalogError(
    'CatalogInvalid',
    `what ${slice.system} says about ${about} takes ${bytes} bytes, expected at most ${MAX_SLICE_BYTES}: ` +
      'shorten texts, or move services to a system of their own',
  );
}

/** A member of a record; one parsed from YAML must not answer for `constructor`. */
export const own = <T>(record: Record<string, T>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

/** A name that nothing has, with the names there are. */
export function unknown(type: FailureType, what: string, where: string, names: Iterable<string>): CatalogError {
  return new CatalogError(type, `no ${what} in ${where}; there is: ${[...names].sort().join(', ') || 'none'}`);
}
