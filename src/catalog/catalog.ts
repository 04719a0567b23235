import type { SystemCatalog } from '../contracts/catalog.ts';

/** One system as its file and overlays say. */
export interface LoadedSystem {
  catalog: SystemCatalog;
  /** The text the digest is of: the file, then its overlays. */
  source: string;
  /** SHA-256 of `source`, `sha256:…`. */
  digest: string;
}

/** Every system of a folder, by name. */
export interface Catalog {
  systems: Map<string, LoadedSystem>;
}
