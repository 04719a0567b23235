import { join } from 'node:path';
import type { Load } from '../load/load-generator.ts';
import { startLoadProcess } from '../load/load-process.ts';
import type { Narrator } from './narrator.ts';
import { onStage, type DemoOptions, type Stage, type WorkerKilled } from './stage.ts';

/** A window as it went. Durations are milliseconds. */
interface WindowFacts {
  window: string;
  outcome: 'completed' | 'failed';
  failure?: string;
  tookMs: number;
  /** How long maintenance mode was on; of a window that failed nobody returns it. */
  interruptionMs?: number;
  /** Requests that the page answered. */
  answeredByPage: number;
  /** Version that answers when the window is over. */
  answersAfter: string;
}

export interface MaintenanceReport {
  passed: boolean;
  /** What did not go as promised; empty when all did. */
  broken: string[];
  durationMs: number;
  workerKilled: WorkerKilled;
  windows: WindowFacts[];
}

const REQUESTS_PER_SECOND = 20;
const SHOP = 'v1';
const PAGE = 'v10';

/** Opens a window that goes well with its worker killed, and one whose task fails: the page is gone after both. */
export async function showMaintenance(tell: Narrator, options: DemoOptions): Promise<MaintenanceReport> {
  const startedAt = Date.now();
  const play = async (stage: Stage): Promise<MaintenanceReport> => {
    const load = await startLoadProcess({ url: stage.url, requestsPerSecond: REQUESTS_PER_SECOND });
    try {
      tell.chapter('The weekly window, opened now. The worker is killed while the page is shown.');
      let workerKilled: WorkerKilled = { during: '', downMs: 0 };
      const weekly = await open(tell, stage, load, 'weekly', async (id) => {
        workerKilled = await stage.killWorkerDuring(id, { step: /^tasks: / });
      });
      tell.chapter('A window whose task fails.');
      const rehearsal = await open(tell, stage, load, 'rehearsal');
      const windows = [weekly, rehearsal];
      const broken = [
        ...(weekly.outcome === 'completed' ? [] : [`the weekly window is completed: ${weekly.failure}`]),
        ...(rehearsal.outcome === 'failed' ? [] : ['the window with the failing task fails']),
        ...windows
          .filter(({ answeredByPage }) => answeredByPage === 0)
          .map(({ window }) => `${window}: the page answers`),
        ...windows
          .filter(({ answersAfter }) => answersAfter !== SHOP)
          .map(({ window }) => `${window}: the shop is back`),
        ...(workerKilled.during ? [] : ['the worker was killed in the middle']),
      ];
      tell.conclude(broken);
      for (const { window, outcome, answeredByPage, answersAfter } of windows)
        tell.say(`${window}: ${outcome}; the page answered ${answeredByPage} requests; ${answersAfter} answers again`);
      return { passed: broken.length === 0, broken, durationMs: Date.now() - startedAt, workerKilled, windows };
    } finally {
      await load.stop().catch(() => undefined);
    }
  };
  return onStage(tell, options, play, { overlays: [join(import.meta.dirname, 'maintenance.yaml')] });
}

async function open(
  tell: Narrator,
  { operator, url }: Stage,
  load: Load,
  window: string,
  meanwhile?: (id: string) => Promise<void>,
): Promise<WindowFacts> {
  const before = await byPage(load);
  const ended = await operator.carryOut(['window', 'start', 'sandbox', 'local', window, '--now'], {
    ...(meanwhile ? { meanwhile } : {}),
  });
  if (ended.failure) tell.say(`${window}: ${ended.failure}`);
  const { interruptionMs } = (ended.result['report'] ?? {}) as { interruptionMs?: number };
  return {
    window,
    outcome: ended.ok ? 'completed' : 'failed',
    ...(ended.failure ? { failure: ended.failure } : {}),
    tookMs: ended.tookMs,
    ...(interruptionMs === undefined ? {} : { interruptionMs }),
    answeredByPage: (await byPage(load)) - before,
    answersAfter: (await fetch(url, { headers: { connection: 'close' } })).headers.get('x-app-version') ?? 'nobody',
  };
}

const byPage = async (load: Load): Promise<number> => (await load.snapshot()).versions[PAGE]?.requests ?? 0;
