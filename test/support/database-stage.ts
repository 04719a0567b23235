import { Client, Connection } from '@temporalio/client';
import { endMatching } from '../../scripts/end-matching.ts';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { cliOf, ensureCli, type CliAnswer } from './acceptance-cli.ts';
import { follow, type Ending, type RunningProcedure } from './acceptance-procedure.ts';
import type { DatabaseBench } from './database.ts';
import { startWorker, type WorkerProcess } from './worker.ts';

const SYSTEM = 'sandbox';

/** The shipped CLI and worker on the sandbox's catalog, with the database `shop` in an environment of its own. */
export interface DatabaseStage {
  client: Client;
  worker: WorkerProcess;
  cli(...args: string[]): Promise<CliAnswer>;
  /** Starts a procedure by the CLI. @throws Error when that is refused */
  start(...args: string[]): Promise<RunningProcedure>;
  /** @returns the id of the backup */
  backUp(): Promise<string>;
  restore(...flags: string[]): Promise<RunningProcedure>;
  restoreApproved(...flags: string[]): Promise<Ending>;
  /** Ends its procedures and its worker. */
  close(): Promise<void>;
}

export interface DatabaseStageOptions {
  /** Also the environment, and so its change control, which no other worker's serves. */
  taskQueue: string;
  namespace: string;
  bench: DatabaseBench;
  /** Reference to the password of the bench's server. */
  password: string;
  /** More of the catalog: other databases, runbooks. */
  catalog?: { databases?: object; runbooks?: object };
}

/** Where the database is in the catalog of its stage: system, environment, database. */
export const placeOf = (taskQueue: string): string[] => [SYSTEM, taskQueue, 'shop'];

export async function openDatabaseStage(options: DatabaseStageOptions): Promise<DatabaseStage> {
  const { taskQueue } = options;
  await ensureCli();
  const { temporal } = readEndpoints();
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, namespace: temporal.namespace });
  const worker = await startWorker({ taskQueue, overlays: [overlayOf(options)] });
  const place = placeOf(taskQueue);

  const cli = (...args: string[]): Promise<CliAnswer> => cliOf(taskQueue)('kim', ...args);
  const start = async (...args: string[]): Promise<RunningProcedure> => {
    const { code, json } = await cli(...args);
    if (code !== 0) throw new Error(`windlass ${args.join(' ')} ended with ${code}: ${JSON.stringify(json)}`);
    return follow(client.workflow.getHandle(json['id'] as string, json['runId'] as string));
  };
  const restore = (...flags: string[]): Promise<RunningProcedure> =>
    start('restore', ...place, '--reason', 'table orders was dropped', ...flags);
  return {
    ...{ client, worker, cli, start, restore },
    async backUp() {
      const ending = await (await start('backup', ...place)).ending();
      if (!ending.ok) throw new Error(`${ending.type}: ${ending.message}`);
      return ending.result['backup'].id as string;
    },
    async restoreApproved(...flags) {
      const procedure = await restore(...flags);
      await procedure.untilGatesOpen();
      await procedure.decide({ gate: 'restore', by: 'ana' });
      return procedure.ending();
    },
    async close() {
      await endMatching(client, `TaskQueue = "${taskQueue}" AND ExecutionStatus = "Running"`, 'the test is over');
      await worker.stop();
      await connection.close();
    },
  };
}

function overlayOf({ taskQueue, namespace, bench, password, catalog = {} }: DatabaseStageOptions) {
  const { kubernetes, prometheus } = readEndpoints();
  return {
    overlayOf: SYSTEM,
    environments: {
      local: null,
      [taskQueue]: {
        cluster: { context: kubernetes.context },
        namespace,
        prometheus: prometheus.url,
        production: false,
      },
    },
    databases: {
      shop: {
        name: bench.name,
        servers: { local: null, [taskQueue]: { ...bench.slice.server, password } },
        backup: { store: { prefix: bench.prefix } },
      },
      ...catalog.databases,
    },
    ...(catalog.runbooks ? { runbooks: catalog.runbooks } : {}),
    // They are of `local`.
    windows: null,
    errorBudgets: null,
  };
}
