import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes.ts';
import { apply, deployReadySample, kubectl, roleBinding } from '../support/namespace.ts';
import { startWorker, type TestWorkerOptions } from '../support/worker.ts';

/** A shop at v1 and a worker for it, alone in a Temporal namespace and a Kubernetes namespace of their own. */
export interface BrowserStage {
  /** Of the Temporal UI. */
  url: string;
  /** Of Temporal and of the cluster. */
  namespace: string;
  client: Client;
  /** Of the worker's catalog. */
  overlays: NonNullable<TestWorkerOptions['overlays']>;
  close(): Promise<void>;
}

export interface BrowserStageOptions {
  /** Task queue that people type. */
  taskQueue: string;
  /** First part of the names of both namespaces, which people see. */
  prefix: string;
  /** More of the worker's environment. */
  env?: NodeJS.ProcessEnv;
  /** What else differs from the sandbox's catalog. */
  catalog?: Record<string, unknown>;
}

/** What nobody looks at here: Jobs, and metrics, which would need traffic. */
const QUIET = { release: { preDeployment: null, postDeployment: null }, metrics: [], sla: [] };

/** `temporal.api.enums.v1.IndexedValueType`. */
const TYPES = { Keyword: 2, KeywordList: 7 } as const;

/**
 * The README's input works here as it is written, whatever else runs on the sandbox: change control is one per Temporal
 * namespace, system and environment, and so is a task queue.
 */
export async function openBrowserStage({
  taskQueue,
  prefix,
  env = {},
  catalog = {},
}: BrowserStageOptions): Promise<BrowserStage> {
  const { temporal } = readEndpoints();
  const namespace = `${prefix}-${randomBytes(3).toString('hex')}`;
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, namespace });
  const undo: (() => Promise<unknown>)[] = [() => connection.close()];
  const close = async (): Promise<void> => {
    for (let step = undo.pop(); step; step = undo.pop()) await step();
  };
  try {
    undo.push(() => connection.operatorService.deleteNamespace({ namespace }));
    undo.push(() => kubectl('delete', 'namespace', namespace, '--wait=false', '--ignore-not-found'));
    await Promise.all([createTemporalNamespace(connection, namespace), createShop(namespace)]);
    const shop = { environments: { local: { namespace } }, services: { shop: QUIET } };
    const overlays = ['sandbox-fast', { overlayOf: 'sandbox', ...shop, ...catalog }];
    const worker = await startWorker({
      taskQueue,
      env: { TEMPORAL_NAMESPACE: namespace, ...env },
      overlays,
    });
    // Not gracefully: both namespaces go with it, and its watchers would keep it for their whole grace period.
    undo.push(() => worker.kill('SIGKILL'));
    return { url: temporal.ui, namespace, client, overlays, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function createShop(namespace: string): Promise<void> {
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, roleBinding(namespace));
  await deployReadySample({ namespace, replicas: 2 });
}

/** Creates the namespace with the search attributes; the server shows it to everybody after a moment. */
async function createTemporalNamespace(connection: Connection, namespace: string): Promise<void> {
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: (7 * 24 * 3600) as never },
  });
  const searchAttributes = Object.fromEntries(
    Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, TYPES[type]]),
  );
  await waitFor(
    `the Temporal namespace ${namespace}`,
    async () => {
      await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
      return true;
    },
    { timeoutSeconds: 30 },
  );
}
