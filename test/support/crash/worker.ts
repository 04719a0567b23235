import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive, identify, type ProcessIdentity } from '../../../scripts/sandbox/proc.ts';
import { waitFor } from '../../../scripts/sandbox/wait.ts';
import { startWorker, type WorkerProcess } from '../worker.ts';
import { FOLDER_VARIABLE, HARNESS_VARIABLE } from './calls.ts';

const INTERCEPT = fileURLToPath(new URL('intercept.ts', import.meta.url));

/** A worker that takes orders, and that somebody starts again whenever it dies. */
export interface StruckWorker {
  /** Where orders go and calls are recorded. */
  folder: string;
  taskQueue: string;
  pid(): number;
  /** @throws Error when it died and could not be started again */
  stop(): Promise<void>;
}

export interface StruckWorkerOptions {
  taskQueue: string;
  /** Folder of system files. */
  systems: string;
  slackUrl: string;
  /** Another way to the API server; default: the worker's own. */
  kubeconfig?: string;
  /** More of its environment. */
  env?: NodeJS.ProcessEnv;
  /** Made by `crashFolder`; default: a new one. */
  folder?: string;
}

/** A folder by which a harness and its worker talk. */
export const crashFolder = (): string => mkdtempSync(join(tmpdir(), 'windlass-crash-'));

/** Starts a worker of its own task queue. It dies by the orders it gets and is started again at once. */
export async function superviseWorker(options: StruckWorkerOptions): Promise<StruckWorker> {
  const { taskQueue, systems, slackUrl, kubeconfig, env, folder = crashFolder() } = options;
  const startOnce = (): Promise<WorkerProcess> =>
    startWorker({
      taskQueue,
      systems,
      extensions: [INTERCEPT],
      env: {
        [FOLDER_VARIABLE]: folder,
        [HARNESS_VARIABLE]: String(process.pid),
        WINDLASS_SLACK_URL: slackUrl,
        ...env,
        ...(kubeconfig ? { KUBECONFIG: kubeconfig } : {}),
      },
    });
  /** A machine that is busy for a minute must not end the runs of an hour. */
  const start = (): Promise<WorkerProcess> => startOnce().catch(startOnce);
  let worker = await start();
  let stopping = false;
  let failed: Error | undefined;

  const supervision = (async () => {
    while (!stopping) {
      await gone(worker);
      if (stopping) return;
      worker = await start();
    }
  })().catch((error: Error) => (failed = error));

  return {
    folder,
    taskQueue,
    pid: () => worker.pid,
    async stop() {
      stopping = true;
      await worker.kill('SIGKILL');
      await supervision;
      rmSync(folder, { recursive: true });
      if (failed) throw failed;
    },
  };
}

async function gone({ pid }: WorkerProcess): Promise<void> {
  const identity: ProcessIdentity | undefined = identify(pid);
  if (!identity) return;
  await waitFor('the end of a worker', async () => !isAlive(identity), { timeoutSeconds: Infinity, everyMs: 50 });
}
