import type { Server } from 'node:http';
import { hostname } from 'node:os';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createActivitiesOf } from '../activities/index.ts';
import { TAKEOVER_MS } from '../src/adapters/temporal/messages.ts';
import { whyUnreachable } from '../src/adapters/temporal/why-unreachable.ts';
import { CatalogError } from '../src/catalog/errors.ts';
import { createIncidentTaker } from '../src/server/incidents.ts';
import { serveIntake } from '../src/server/intake.ts';
import { scheduleAudit } from './audit-schedule.ts';
import { ConfigError, readConfig, type WorkerConfig } from './config.ts';
import { createDependencies } from './dependencies.ts';
import { routingGaps } from './routing-gaps.ts';
import { openEncryption } from './encryption.ts';
import { loadExtensions } from './extensions.ts';
import { serveHealth } from './health.ts';
import { createLog } from './log.ts';
import { installRuntime } from './runtime.ts';
import { createSecrets } from './secrets.ts';
import { checkSearchAttributes, retentionFault } from './server-checks.ts';
import { FAILURE_CONVERTER, loadWorkflowBundle } from './workflow-code.ts';

/** Under way at once: watchers of lease holders, of rollouts, and short calls. */
const MAX_ACTIVITIES = 1000;

type Environment = Readonly<Record<string, string | undefined>>;

/** Runs a worker until it is told to stop. @returns the exit code: 0 stopped, 1 failed, 2 wrongly configured */
export async function start(env: Environment): Promise<number> {
  const log = createLog(env['WINDLASS_LOG_LEVEL']);
  try {
    await run(readConfig(env), log);
    return 0;
  } catch (error) {
    const configuration = error instanceof ConfigError || error instanceof CatalogError;
    if (configuration) log.fatal({ faults: error.message.split('\n') }, 'the worker cannot start as configured');
    else log.fatal({ err: error }, 'the worker failed');
    return configuration ? 2 : 1;
  }
}

async function run(config: WorkerConfig, log: Logger): Promise<void> {
  const started = performance.now();
  installRuntime(config, log);
  const extensions = await loadExtensions(config.extensions);
  const secrets = createSecrets(config);
  const encrypted = await openEncryption(config.payloadKeys, secrets, log);
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const connection = await connect(connectionOptions);
  let intake: Server | undefined;
  try {
    const dependencies = await createDependencies(config, { connection, namespace, encrypted, secrets, log });
    const runsWorkflows = config.capabilities.includes('core');
    if (runsWorkflows && !(await checkSearchAttributes(connection, namespace))) {
      log.warn('the server does not tell workers its search attributes; see that they are registered');
    }
    // Before there is a worker: a port that is taken ends the start.
    intake =
      config.alerts &&
      (await serveIntake({
        ...config.alerts,
        token: () => secrets.resolve(config.alerts!.token),
        take: createIncidentTaker(dependencies.temporal, config.taskQueue),
        log,
      }));
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue: config.taskQueue,
      identity: `windlass-${process.pid}@${hostname()}`,
      ...(runsWorkflows
        ? { workflowBundle: await loadWorkflowBundle(log, config.payloadKeys?.encrypts ? 'encrypted' : 'plain') }
        : {}),
      dataConverter: {
        ...encrypted.dataConverter,
        ...(config.payloadKeys?.encrypts ? { failureConverterPath: FAILURE_CONVERTER } : {}),
      },
      activities: createActivitiesOf(dependencies, config.capabilities),
      interceptors: { activity: extensions.activityInterceptors },
      maxCachedWorkflows: config.maxCachedWorkflows,
      stickyQueueScheduleToStartTimeout: TAKEOVER_MS,
      // Change control watches every holder by an activity that runs as long as the holder: cheap, but many.
      maxConcurrentActivityTaskExecutions: MAX_ACTIVITIES,
      shutdownGraceTime: config.shutdownGraceMs,
    });
    if (runsWorkflows) {
      await scheduleAudit(config, dependencies.temporal, log);
      for (const gap of routingGaps(await dependencies.catalog.current(), config)) log.error(gap);
    }
    const readiness = async () => {
      const state = worker.getState();
      const polling = state === 'RUNNING' ? [] : [`the worker is ${state.toLowerCase()}, expected running`];
      const retention = runsWorkflows ? await retentionFault(connection, namespace) : undefined;
      return retention ? [...polling, retention] : polling;
    };
    const health = config.health && (await serveHealth(config.health, readiness));
    const fault = runsWorkflows ? await retentionFault(connection, namespace) : undefined;
    if (fault) log.error(`not ready: ${fault}`);

    const running = worker.run();
    const ms = Math.round(performance.now() - started);
    log.info({ taskQueue: config.taskQueue, capabilities: config.capabilities, namespace, ms }, 'ready');
    await running.finally(() => health?.close());
    log.info('stopped');
  } finally {
    intake?.close();
    await connection.close();
  }
}

async function connect(options: Parameters<typeof NativeConnection.connect>[0]): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(options);
  } catch (error) {
    const address = options?.address ?? 'localhost:7233';
    if (/valid authentication credentials|permission/i.test((error as Error).message))
      throw new Error(`the Temporal server at ${address} refuses this worker: check TEMPORAL_API_KEY`, {
        cause: error,
      });
    const why = await whyUnreachable(options ?? {});
    throw new Error(
      why?.trust
        ? `the Temporal server at ${address} cannot be used: ${why.text}`
        : `no Temporal server answers at ${address}: ${why ? `${why.text}; ` : ''}start it, or correct TEMPORAL_ADDRESS`,
      { cause: error },
    );
  }
}
