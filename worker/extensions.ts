import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { ConfigError } from './config.ts';

/**
 * A module named in WINDLASS_WORKER_EXTENSIONS: what an installation adds to its workers without changing Windlass,
 * tracing of activities for example. Loaded at start, in the order named; the first one is the outermost.
 */
export interface WorkerExtension {
  activityInterceptors?: ActivityInterceptorsFactory[];
}

/** @throws ConfigError naming each module that does not load or adds nothing */
export async function loadExtensions(paths: string[]): Promise<Required<WorkerExtension>> {
  const faults: string[] = [];
  const activityInterceptors: ActivityInterceptorsFactory[] = [];
  for (const path of paths) {
    try {
      const extension = (await import(pathToFileURL(resolve(path)).href)) as WorkerExtension;
      if (Array.isArray(extension.activityInterceptors)) activityInterceptors.push(...extension.activityInterceptors);
      else faults.push(`WINDLASS_WORKER_EXTENSIONS: expected ${path} to export the list activityInterceptors`);
    } catch (error) {
      faults.push(`WINDLASS_WORKER_EXTENSIONS: ${path} does not load: ${(error as Error).message}`);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return { activityInterceptors };
}
