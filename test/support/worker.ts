import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import {
  secretsOf,
  startWorker as startProcess,
  type WorkerProcess,
  type WorkerProcessOptions,
} from '../../scripts/worker-process.ts';
import { noteCanaries } from './canaries.ts';
import { keepMetrics, metricsAddress } from './worker-metrics.ts';

export type { WorkerProcess } from '../../scripts/worker-process.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export interface TestWorkerOptions extends Pick<WorkerProcessOptions, 'extensions' | 'systems' | 'env'> {
  taskQueue: string;
  /**
   * Overlays on the catalog: names of files in overlays/ (`sandbox-fast`), or the content of one
   * (`{ overlayOf: 'sandbox', environments: { local: { namespace } } }`); later ones win.
   */
  overlays?: (string | Overlay)[];
}
export type Overlay = { overlayOf: string } & Record<string, unknown>;

/**
 * Starts the real worker against the running sandbox and waits until it is ready. `WINDLASS_NOOP_EFFECTS=1` in the
 * environment of the test makes its effecting activities do nothing: what then stays green proves nothing.
 */
export async function startWorker({
  overlays = [],
  extensions = [],
  env,
  ...options
}: TestWorkerOptions): Promise<WorkerProcess> {
  const noEffects = process.env['WINDLASS_NOOP_EFFECTS'] === '1' ? [here('extensions/no-op-effects.ts')] : [];
  const endpoints = readEndpoints();
  noteCanaries({ ...secretsOf(endpoints), ...env });
  const metrics = metricsAddress();
  const worker = await startProcess({
    endpoints,
    overlays: overlays.map(writeOverlay),
    extensions: [...noEffects, ...extensions],
    env: { WINDLASS_METRICS_ADDRESS: metrics, ...env },
    ...options,
  });
  return {
    ...worker,
    async stop() {
      await keepMetrics(metrics, basename(worker.logFile, '.jsonl'));
      await worker.stop();
    },
  };
}

/** The file of an overlay, which is written when it is not one of overlays/. */
export function writeOverlay(overlay: string | Overlay): string {
  if (typeof overlay === 'string') return here(`overlays/${overlay}.yaml`);
  const path = join(mkdtempSync(join(tmpdir(), 'windlass-overlay-')), `${overlay.overlayOf}.yaml`);
  writeFileSync(path, stringify(overlay));
  return path;
}
