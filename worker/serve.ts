import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { ConfigError } from './config.ts';

/** Runs a server of a process of its own until it is told to stop. It sets the exit code: 0 stopped, 1 failed, 2 wrongly configured. */
export async function runServer(
  name: string,
  log: Logger,
  start: () => Promise<{ server: Server; ready: object }>,
): Promise<void> {
  try {
    const { server, ready } = await start();
    log.info(ready, 'ready');
    const stop = (): void => {
      server.close();
      server.closeIdleConnections();
    };
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
    await once(server, 'close');
    log.info('stopped');
  } catch (error) {
    const configuration = error instanceof ConfigError;
    if (configuration) log.fatal({ faults: error.faults }, `${name} cannot start as configured`);
    else log.fatal({ err: error }, `${name} failed`);
    process.exitCode = configuration ? 2 : 1;
  }
}
