import type { HandleIncidentInput, IncidentSlice } from '../contracts/handle-incident.ts';
import type { Catalog } from './catalog.ts';
import { CatalogError } from './errors.ts';
import { compileEnvironment, own, unknown, withinBounds } from './slice.ts';

/**
 * What an incident needs of the catalog.
 * @throws CatalogError as `compileEnvironment`; UnknownService; IncidentsUnknown when the system does not say how
 *   incidents are handled; CatalogInvalid when the slice is over 128 KiB
 */
export function compileIncidentSlice(
  catalog: Catalog,
  ref: Pick<HandleIncidentInput, 'system' | 'environment' | 'service'>,
): IncidentSlice {
  const { loaded, environment } = compileEnvironment(catalog, ref);
  const { services, incidents: policy } = loaded.catalog;
  const { service, system } = ref;
  if (service !== undefined && !own(services, service))
    throw unknown('UnknownService', `service ${service}`, `system ${system}`, Object.keys(services));
  if (!policy)
    throw new CatalogError(
      'IncidentsUnknown',
      `system ${system} has no "incidents": say there who is on call and when`,
    );
  return withinBounds('incidents', { ...environment, ...(service === undefined ? {} : { service }), policy });
}
