import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { auditEnvironment } from './sandbox/audit-database.ts';
import type { Endpoints } from './sandbox/endpoints.ts';
import { inState } from './sandbox/paths.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
// As `npm run worker` starts it. A larger young generation only fills with garbage: of a backup that streams by, what
// was sent is held until it is collected. And every thread would keep an arena of what it has freed (mallopt(3)).
const PROGRAM = ['--max-semi-space-size=2', join(ROOT, 'worker/main.ts')];
const ALLOCATION = { MALLOC_ARENA_MAX: '2' };
/** Bundling, on a busy machine, included. */
const START_WITHIN_MS = 60_000;
/** The worker's own grace and what its connections need to close. */
const STOP_WITHIN_MS = 20_000;

export interface WorkerProcessOptions {
  endpoints: Endpoints;
  taskQueue: string;
  /** Overlay files on the catalog, later ones win. */
  overlays?: string[];
  /** Folder of system files; default: the repository's own. */
  systems?: string;
  /** Modules for WINDLASS_WORKER_EXTENSIONS. */
  extensions?: string[];
  /** More of its environment, or other: an absent secret as `{ WINDLASS_SLACK_URL: undefined }`. */
  env?: NodeJS.ProcessEnv;
}

/** A worker in a process of its own: the real one, which can be killed. */
export interface WorkerProcess {
  pid: number;
  taskQueue: string;
  /** JSON lines. */
  logFile: string;
  /** Sends a signal and returns when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends it as a deployment would: SIGTERM, and SIGKILL only when that is not obeyed. */
  stop(): Promise<void>;
}

/**
 * Starts a worker against a running sandbox, with the worker's own, least permissions, and waits until it is ready.
 * @throws Error with the end of its log when it does not get ready
 */
export async function startWorker(options: WorkerProcessOptions): Promise<WorkerProcess> {
  const { taskQueue } = options;
  const logFile = inState('logs', `worker-${taskQueue.replaceAll(/[^\w-]/g, '-')}-${process.pid}-${++started}.jsonl`);
  mkdirSync(dirname(logFile), { recursive: true });
  // A file, not a pipe: it is read after the death of the worker, and does not break with ours.
  const output = openSync(logFile, 'w');
  const child = spawn(process.execPath, PROGRAM, {
    cwd: ROOT,
    env: { ...process.env, ...ALLOCATION, ...environmentOf(options), ...options.env },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const dying = () => void child.kill('SIGKILL');
  process.once('exit', dying);
  child.once('exit', () => process.removeListener('exit', dying));

  await untilReady(child, logFile);
  return {
    pid: child.pid!,
    taskQueue,
    logFile,
    kill: (signal) => end(child, signal),
    async stop() {
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await end(child, 'SIGTERM').finally(() => clearTimeout(timer));
    },
  };
}
let started = 0;

/**
 * Runs a worker of a running sandbox in this terminal, until it is told to stop.
 * @returns its exit code
 */
export async function runWorker(endpoints: Endpoints): Promise<number> {
  // One worker of a machine takes alerts: they come to one port.
  const intake = { WINDLASS_ALERTS_TOKEN: `file:${inState('alert-intake.token')}` };
  const audit = await auditEnvironment(endpoints);
  const own = environmentOf({ endpoints, taskQueue: 'windlass' });
  const env = { ...process.env, ...ALLOCATION, ...own, ...intake, ...audit };
  const child = spawn(process.execPath, PROGRAM, { cwd: ROOT, env, stdio: 'inherit' });
  // A terminal sends Ctrl-C to both; this one waits for the worker to finish what it does.
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => void (name === 'SIGTERM' && child.kill(name)));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

function environmentOf({ endpoints, taskQueue, overlays = [], systems, extensions = [] }: WorkerProcessOptions) {
  return {
    TEMPORAL_ADDRESS: endpoints.temporal.address,
    TEMPORAL_NAMESPACE: endpoints.temporal.namespace,
    KUBECONFIG: endpoints.kubernetes.workerKubeconfig,
    WINDLASS_TASK_QUEUE: taskQueue,
    ...(systems ? { WINDLASS_SYSTEMS: systems } : {}),
    WINDLASS_OVERLAYS: overlays.join(','),
    WINDLASS_WORKER_EXTENSIONS: extensions.join(','),
    WINDLASS_S3_ENDPOINT: endpoints.s3.endpoint,
    WINDLASS_S3_REGION: endpoints.s3.region,
    WINDLASS_S3_BUCKET: endpoints.s3.bucket,
    WINDLASS_S3_SECRET_KEY_FILE: endpoints.s3.secretKeyFile,
    ...secretsOf(endpoints),
    WINDLASS_SLACK_URL: `${endpoints.receivers.url}/slack/sandbox`,
  };
}

/** What the `env:` references of the sandbox's system resolve to. */
export function secretsOf({ s3, postgres, backupKeyFile }: Endpoints): Record<string, string> {
  const read = (file: string): string => readFileSync(file, 'utf8').trim();
  return {
    WINDLASS_S3_ACCESS_KEY_ID: s3.accessKeyId,
    WINDLASS_SANDBOX_S3_SECRET: read(s3.secretKeyFile),
    WINDLASS_SANDBOX_POSTGRES_PASSWORD: read(postgres.passwordFile),
    WINDLASS_BACKUP_KEY: read(backupKeyFile),
  };
}

async function untilReady(child: ChildProcess, logFile: string): Promise<void> {
  const deadline = Date.now() + START_WITHIN_MS;
  const log = () => readFileSync(logFile, 'utf8');
  while (!/"msg":"ready"/.test(log())) {
    const ended = child.exitCode !== null || child.signalCode !== null;
    if (ended || Date.now() > deadline) {
      await end(child, 'SIGKILL');
      const how = ended
        ? `ended (${child.exitCode ?? child.signalCode})`
        : `was not ready in ${START_WITHIN_MS / 1000} s`;
      throw new Error(`the worker ${how}; the end of ${logFile}:\n${log().slice(-2000)}`);
    }
    await sleep(20);
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
