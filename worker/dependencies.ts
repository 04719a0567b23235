import { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Dependencies } from '../activities/dependencies.ts';
import { isFailure } from '../src/adapters/failure.ts';
import { createKubernetesClients } from '../src/adapters/kubernetes/clients.ts';
import { createKubernetesSecretReader } from '../src/adapters/kubernetes-secrets.ts';
import { createObjectStore, type ObjectStore } from '../src/adapters/object-store.ts';
import { createSealedStore } from '../src/adapters/sealed-store.ts';
import { createSecretResolver } from '../src/adapters/secrets.ts';
import { openCatalog } from '../src/catalog/open.ts';
import { ConfigError, type AuditConfig, type WorkerConfig } from './config.ts';

/**
 * Connects the worker to the outside.
 * @throws CatalogError when the catalog does not load; ConfigError when the object store refuses us
 */
export async function createDependencies(
  config: WorkerConfig,
  { connection, namespace, log }: { connection: NativeConnection; namespace: string; log: Logger },
): Promise<Dependencies> {
  const objects = createObjectStore(config.objectStore);
  const catalog = openCatalog(config.catalog);
  await Promise.all([catalog.current(), checkObjectStore(objects, log)]);
  return {
    catalog,
    objects,
    kubernetes: createKubernetesClients(config.kubeconfig ? { kubeconfig: config.kubeconfig } : {}),
    secrets: createSecretResolver({
      env: process.env,
      kubernetes: createKubernetesSecretReader(config.kubeconfig),
    }),
    temporal: new Client({ connection, namespace }),
    taskQueue: config.taskQueue,
    ...(config.audit ? { audit: auditOf(config.audit) } : {}),
  };
}

const auditOf = ({ database, owner, prefix, store }: AuditConfig): NonNullable<Dependencies['audit']> => ({
  ...{ database, prefix, sealed: createSealedStore(store), state: { ready: false } },
  ...(owner ? { owner } : {}),
});

/** One that does not answer at the moment stops nobody: a rollback must not wait for the place where evidence goes. */
async function checkObjectStore(objects: ObjectStore, log: Logger): Promise<void> {
  try {
    await objects.check();
  } catch (error) {
    if (!isFailure(error, 'Unavailable')) throw new ConfigError([(error as Error).message]);
    log.warn(`evidence cannot be kept now: ${error.message}`);
  }
}
