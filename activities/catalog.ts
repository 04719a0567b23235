import { log } from '@temporalio/activity';
import type { DatabaseReference } from '../src/contracts/back-up-database.ts';
import type { DatabaseSlice, EnvironmentSlice, ServiceSlice } from '../src/contracts/catalog.ts';
import type { HandleIncidentInput, IncidentSlice } from '../src/contracts/handle-incident.ts';
import type { RunbookSlice } from '../src/contracts/run-runbook.ts';
import type { Place, ServiceReference } from '../src/contracts/scalars.ts';
import { failure } from '../src/adapters/failure.ts';
import type { Catalog } from '../src/catalog/catalog.ts';
import { CatalogError } from '../src/catalog/errors.ts';
import { compileDatabaseSlice } from '../src/catalog/database-slice.ts';
import { compileIncidentSlice } from '../src/catalog/incident-slice.ts';
import { compileRunbook, type RunbookRequest } from '../src/catalog/runbook-slice.ts';
import { compileEnvironment, compileSlice } from '../src/catalog/slice.ts';
import type { Dependencies } from './dependencies.ts';

/** Keeping a copy of the catalog may delay a procedure by this much and no more. */
const KEEP_WITHIN_MS = 2_000;

export function createCatalogActivities({ catalog, objects }: Pick<Dependencies, 'catalog' | 'objects'>) {
  /** Digests that this process has stored; the next procedure needs no look. */
  const kept = new Set<string>();

  return {
    /**
     * What a procedure needs of the catalog, as its files are now. The files are kept in the object store under the
     * slice's digest, so that the record of a procedure shows years later what it was told to do; but an emergency
     * rollback does not wait for an object store that is down: that is logged, and made up for by the next one.
     * @throws UnknownSystem, UnknownEnvironment, UnknownService, CatalogInvalid
     */
    async loadSlice(ref: ServiceReference): Promise<ServiceSlice> {
      return load((loaded) => compileSlice(loaded, ref));
    },

    /**
     * What any procedure in an environment needs of the catalog; kept as `loadSlice` does.
     * @throws UnknownSystem, UnknownEnvironment, CatalogInvalid
     */
    async loadEnvironment(ref: Place): Promise<EnvironmentSlice> {
      return load((loaded) => compileEnvironment(loaded, ref).environment);
    },

    /**
     * What a run of a runbook needs of the catalog, its parameters checked and filled in; kept as `loadSlice` does.
     * @throws as `loadSlice`; UnknownRunbook, InvalidInput
     */
    async loadRunbook(request: RunbookRequest): Promise<RunbookSlice> {
      return load((loaded) => compileRunbook(loaded, request));
    },

    /**
     * What an incident needs of the catalog; kept as `loadSlice` does.
     * @throws as `loadSlice`; IncidentsUnknown
     */
    async loadIncident(ref: Pick<HandleIncidentInput, 'system' | 'environment' | 'service'>): Promise<IncidentSlice> {
      return load((loaded) => compileIncidentSlice(loaded, ref));
    },

    /** What a backup or a restore needs of the catalog. @throws as `loadEnvironment`; UnknownDatabase */
    async loadDatabase(ref: DatabaseReference): Promise<DatabaseSlice> {
      const loaded = await currentCatalog(catalog);
      return asFailure(() => compileDatabaseSlice(loaded, ref));
    },
  };

  async function load<Slice extends EnvironmentSlice>(compile: (loaded: Catalog) => Slice): Promise<Slice> {
    const loaded = await currentCatalog(catalog);
    const slice = asFailure(() => compile(loaded));
    if (!kept.has(slice.digest)) await keep(slice.digest, loaded.systems.get(slice.system)!.source);
    return slice;
  }

  async function keep(digest: string, body: string): Promise<void> {
    const stored = objects
      .put({ key: `catalogs/${digest.replace(':', '-')}.yaml`, contentType: 'application/yaml', body })
      .then(() => void kept.add(digest))
      .catch((error: Error) => void log.warn('the catalog was not kept as evidence', { digest, error: error.message }));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, KEEP_WITHIN_MS);
    });
    await Promise.race([stored, enough]).finally(() => clearTimeout(timer));
  }
}

/** The catalog, its faults as the named failure CatalogInvalid. */
export async function currentCatalog(catalog: Dependencies['catalog']): Promise<Catalog> {
  try {
    return await catalog.current();
  } catch (error) {
    throw named(error);
  }
}

export function asFailure<T>(decide: () => T): T {
  try {
    return decide();
  } catch (error) {
    throw named(error);
  }
}

const named = (error: unknown) => (error instanceof CatalogError ? failure(error.type, error.message) : error);
