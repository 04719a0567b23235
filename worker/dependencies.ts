import { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Dependencies, SomeDependencies } from '../activities/dependencies.ts';
import { isFailure } from '../src/adapters/failure.ts';
import type { StatementVerifier } from '../src/adapters/identity/statements.ts';
import { createKubernetesClients } from '../src/adapters/kubernetes/clients.ts';
import { createObjectStore, type ObjectStore } from '../src/adapters/object-store.ts';
import { createSealedStore } from '../src/adapters/sealed-store.ts';
import type { SecretResolver } from '../src/adapters/secrets.ts';
import type { Encryption } from '../src/adapters/temporal/data-converter.ts';
import { openCatalog } from '../src/catalog/open.ts';
import type { Capability } from '../src/domain/capabilities.ts';
import { ConfigError, type AuditConfig, type WorkerConfig } from './config.ts';

/** The others are told what they need of it: a worker with one of them alone needs no file of the catalog. */
const READ_CATALOG: Capability[] = ['core', 'operate', 'notify'];

interface Surroundings {
  connection: NativeConnection;
  namespace: string;
  /** As the worker itself has it: a client that does not encrypt would write in plain text what it starts and signals. */
  encrypted: Encryption;
  secrets: SecretResolver;
  log: Logger;
}

/**
 * Connects the worker to the outside.
 * @throws CatalogError when the catalog does not load; ConfigError when the object store refuses us
 */
export async function createDependencies(
  config: WorkerConfig,
  { connection, namespace, encrypted, secrets, log }: Surroundings,
): Promise<SomeDependencies> {
  const catalog = openCatalog(config.catalog);
  const objects = config.objectStore && createObjectStore(config.objectStore);
  await Promise.all([
    ...(config.capabilities.some((each) => READ_CATALOG.includes(each)) ? [catalog.current()] : []),
    ...(objects ? [checkObjectStore(objects, log)] : []),
  ]);
  return {
    catalog,
    ...(objects ? { objects } : {}),
    kubernetes: createKubernetesClients(config.kubeconfig ? { kubeconfig: config.kubeconfig } : {}),
    secrets,
    temporal: new Client({ connection, namespace, ...encrypted }),
    taskQueue: config.taskQueue,
    ...(config.approvalUrl ? { approvalUrl: config.approvalUrl } : {}),
    ...(config.statementKeys ? { statements: statementsOf(config.statementKeys, secrets) } : {}),
    ...(config.audit ? { audit: auditOf(config.audit) } : {}),
  };
}

const auditOf = ({ database, owner, prefix, store }: AuditConfig): NonNullable<Dependencies['audit']> => ({
  ...{ database, prefix, sealed: createSealedStore(store), state: { ready: false } },
  ...(owner ? { owner } : {}),
});

/**
 * The keys are read whenever they are needed: they change while the worker runs. So is the library that verifies, which
 * most workers never need and each start would pay for.
 */
const statementsOf = (reference: string, secrets: SecretResolver): StatementVerifier => ({
  async read(statement) {
    const { createStatementVerifier } = await import('../src/adapters/identity/statements.ts');
    const verifier = await secrets
      .resolve(reference)
      .then(createStatementVerifier)
      .catch((error: unknown) => {
        // A decision is not retried for ever: whoever sent it is told, and sends it again.
        if (error instanceof Error) return error.message;
        throw error;
      });
    return typeof verifier === 'string'
      ? { fault: `the worker cannot read the public keys of statements (${verifier})` }
      : verifier.read(statement);
  },
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
