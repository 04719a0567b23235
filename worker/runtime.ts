import { Runtime, type Logger, type LogLevel, type LogMetadata } from '@temporalio/worker';
import type { Logger as Pino } from 'pino';
import type { WorkerConfig } from './config.ts';

/** Sets up the SDK's core once per process: its logs join ours as JSON, its metrics are served to Prometheus. */
export function installRuntime(config: WorkerConfig, log: Pino): void {
  Runtime.install({
    logger: toTemporalLogger(log),
    shutdownSignals: ['SIGINT', 'SIGTERM'],
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'WARN' }, forward: {} },
      ...(config.metrics
        ? { metrics: { prometheus: { bindAddress: `${config.metrics.host}:${config.metrics.port}` } } }
        : {}),
    },
  });
}

function toTemporalLogger(log: Pino): Logger {
  const at = (level: LogLevel, message: string, meta?: LogMetadata) =>
    log[level.toLowerCase() as 'trace' | 'debug' | 'info' | 'warn' | 'error'](serializable(meta), message);
  return {
    log: at,
    trace: (message, meta) => at('TRACE', message, meta),
    debug: (message, meta) => at('DEBUG', message, meta),
    info: (message, meta) => at('INFO', message, meta),
    warn: (message, meta) => at('WARN', message, meta),
    error: (message, meta) => at('ERROR', message, meta),
  };
}

/**
 * Core's timestamps are bigints, which JSON does not know. A task token would let a reader of the log complete the task, and
 * when one cannot be begun the SDK logs it whole, with its token and its payloads.
 */
export const serializable = ({ taskToken: _, task: _task, taskEncoded: _encoded, ...meta }: LogMetadata = {}): object =>
  Object.fromEntries(
    Object.entries(meta).map(([key, value]) => [key, typeof value === 'bigint' ? Number(value) : value]),
  );
