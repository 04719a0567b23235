import { cpus, loadavg, release, totalmem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { rounded } from './statistics.ts';

/** How busy the machine is, whoever makes it so. */
export interface MachineLoad {
  /** ISO 8601. */
  at: string;
  /** Load averages of 1, 5 and 15 minutes. */
  average: number[];
  /** Share of all processors in use during half a second, 0 to 1. */
  busy: number;
}

export interface Machine {
  processors: number;
  model: string;
  memoryGiB: number;
  kernel: string;
  node: string;
}

/** What the figures were measured on. */
export const describeMachine = (): Machine => ({
  processors: cpus().length,
  model: cpus()[0]?.model.trim() ?? 'unknown',
  memoryGiB: rounded(totalmem() / 2 ** 30, 0),
  kernel: release(),
  node: process.version,
});

export async function measureLoad(): Promise<MachineLoad> {
  const busy = await busyShare(500);
  return { at: new Date().toISOString(), average: loadavg().map((each) => rounded(each, 2)), busy };
}

/** Share of all processors in use from now on, for so many milliseconds. */
export async function busyShare(milliseconds: number): Promise<number> {
  const before = ticks();
  await delay(milliseconds);
  const after = ticks();
  const all = after.all - before.all;
  return all === 0 ? 0 : rounded(1 - (after.idle - before.idle) / all, 3);
}

/** A machine is quiet when less of it is in use. */
export const QUIET = 0.25;

/** Waits for a quiet machine, at most so many milliseconds. @returns the share in use when it stopped waiting */
export async function untilQuiet(milliseconds: number): Promise<number> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const busy = await busyShare(300);
    if (busy <= QUIET || performance.now() >= deadline) return busy;
  }
}

function ticks(): { idle: number; all: number } {
  let idle = 0;
  let all = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.idle + times.user + times.nice + times.sys + times.irq;
  }
  return { idle, all };
}
