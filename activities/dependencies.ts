import type { Client } from '@temporalio/client';
import type { Catalog } from '../src/catalog/catalog.ts';
import type { StatementVerifier } from '../src/adapters/identity/statements.ts';
import type { KubernetesClients } from '../src/adapters/kubernetes/clients.ts';
import type { ObjectStore } from '../src/adapters/object-store.ts';
import type { SealedStore } from '../src/adapters/sealed-store.ts';
import type { SecretResolver } from '../src/adapters/secrets.ts';

/**
 * What the activities need of the outside, made once per worker (worker/dependencies.ts) and by tests as they like.
 * A group declares only its own share: `createLeasesActivities(deps: Pick<Dependencies, 'temporal'>)`.
 */
export interface Dependencies {
  /** The catalog as its files are now: read again when they changed, CatalogInvalid when they no longer load. */
  catalog: { current(): Promise<Catalog> };
  objects: ObjectStore;
  /** The clusters of the worker's kubeconfig, by context. */
  kubernetes: KubernetesClients;
  secrets: SecretResolver;
  /** Client of the namespace the worker polls. */
  temporal: Client;
  /** Name of the worker's task queue, where procedures are started. */
  taskQueue: string;
  /** Origin of the approval server, for links in messages; absent when there is none. */
  approvalUrl?: string;
  /** Absent when the worker has no public keys: no verified identity then. */
  statements?: StatementVerifier;
  /** Absent when the audit is off. */
  audit?: {
    /** References of the URLs of its database: as the one who writes, and as the owner of the tables. */
    database: string;
    owner?: string;
    sealed: SealedStore;
    /** Of its keys in the object store, without a slash at the end. */
    prefix: string;
    /** What the process has learned of the database. */
    state: { ready: boolean };
  };
}

/** Those of a worker that keeps no evidence. */
export type SomeDependencies = Omit<Dependencies, 'objects'> & Partial<Pick<Dependencies, 'objects'>>;
