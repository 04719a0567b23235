import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inState } from '../../scripts/sandbox/paths.ts';

const ANSWERS_WITHIN_MS = 5_000;

/** Where the metrics of the workers of the tests are kept, for the search for secrets: a text a worker. */
export const workerMetricsFolder = (): string => inState('worker-metrics');

/** An address of loopback of a worker's own: no other one has it, so that the port need not be looked for. */
export const metricsAddress = (): string => `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}:9464`;

/** Keeps what a worker shows to Prometheus; one that was killed, or answers no more, shows nothing. */
export async function keepMetrics(address: string, name: string): Promise<void> {
  const text = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) })
    .then((response) => response.text())
    .catch(() => undefined);
  if (text === undefined) return;
  mkdirSync(workerMetricsFolder(), { recursive: true });
  writeFileSync(join(workerMetricsFolder(), `${name}.txt`), text);
}
