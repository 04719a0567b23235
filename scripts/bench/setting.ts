import { Client, Connection } from '@temporalio/client';
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { encryptionOf } from '../../src/adapters/temporal/data-converter.ts';
import { endMatching } from '../end-matching.ts';
import { readEndpoints, type Endpoints } from '../sandbox/endpoints.ts';
import { startWorker, type WorkerProcess } from '../worker-process.ts';
import { writeCatalog, type BenchCatalog } from './catalog.ts';
import { connectCluster, type Cluster } from './cluster.ts';

export const TASK_QUEUE = 'windlass-bench';

/** What a bench works with: the sandbox as it runs, and a worker of its own. */
export interface Setting {
  endpoints: Endpoints;
  auditLog: string;
  client: Client;
  cluster: Cluster;
  worker: WorkerProcess;
  /** Aborted by SIGINT and SIGTERM: nothing new is begun after it. */
  interrupted: AbortSignal;
}

/** Work that was interrupted has this long to notice, before everything is cleared away. */
const NOTICE_WITHIN_MS = 30_000;

/**
 * Carries a bench out with a worker, a catalog and a task queue of its own, and clears everything away afterwards, also
 * when it is interrupted. What an interrupted bench left is cleared first.
 * @param env more of the worker's environment
 * @throws SandboxError when no sandbox is up; Error when its API server keeps no audit log
 */
export async function withSetting<T>(
  catalog: BenchCatalog,
  work: (setting: Setting) => Promise<T>,
  env: (endpoints: Endpoints) => NodeJS.ProcessEnv = () => ({}),
): Promise<T> {
  const endpoints = readEndpoints();
  const { auditLog } = endpoints.kubernetes;
  if (!auditLog) throw new Error('a bench reads the time of a switch from the audit log, which this cluster lacks');
  const connection = await Connection.connect({ address: endpoints.temporal.address });
  const client = new Client({
    connection,
    namespace: endpoints.temporal.namespace,
    ...(await encryptionOf(process.env)),
  });
  const interrupt = onInterrupt();
  const interrupted = interrupt.signal;
  const setting = { endpoints, auditLog, client, cluster: connectCluster(endpoints), interrupted };
  await clear(setting);
  const systems = writeCatalog(endpoints, catalog);
  let working: Promise<T> | undefined;
  try {
    const worker = await startWorker({ endpoints, taskQueue: TASK_QUEUE, systems, env: env(endpoints) });
    try {
      interrupted.throwIfAborted();
      working = work({ ...setting, worker });
      return await Promise.race([working, interrupt.promise]);
    } finally {
      await endProcedures(client);
      await worker.stop();
    }
  } finally {
    // What it has begun ends with its procedures; cleared before that, it could make something anew.
    await Promise.race([working?.catch(() => undefined), delay(NOTICE_WITHIN_MS, undefined, { ref: false })]);
    rmSync(systems, { recursive: true, force: true });
    await clear(setting);
    await connection.close();
    interrupt.forget();
  }
}

async function clear({ client, cluster }: Pick<Setting, 'client' | 'cluster'>): Promise<void> {
  await endProcedures(client);
  await cluster.clear();
}

/** Terminates what runs on the bench's task queue: what has not done its first task yet names no system. */
async function endProcedures(client: Client): Promise<void> {
  await endMatching(client, `TaskQueue = '${TASK_QUEUE}' AND ExecutionStatus = 'Running'`, 'the bench is over');
}

/**
 * Turns SIGINT and SIGTERM into an error, so that `finally` clears up. More of them change nothing: npm passes on what the
 * terminal sends to the whole group anyway, so one Ctrl-C comes twice.
 */
function onInterrupt(): { signal: AbortSignal; promise: Promise<never>; forget: () => void } {
  const controller = new AbortController();
  const { signal } = controller;
  const listener = (name: NodeJS.Signals) => controller.abort(new Error(`interrupted by ${name}`));
  process.on('SIGINT', listener).on('SIGTERM', listener);
  const promise = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
  );
  promise.catch(() => undefined);
  return { signal, promise, forget: () => process.off('SIGINT', listener).off('SIGTERM', listener) };
}
