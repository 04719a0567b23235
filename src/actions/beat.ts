import type { ActionContext } from './action.ts';

const EVERY_MS = 4_000;

/** Sends heartbeats while something takes its time that cannot send its own. */
export async function beating<T>({ heartbeat }: Pick<ActionContext, 'heartbeat'>, work: Promise<T>): Promise<T> {
  heartbeat();
  const timer = setInterval(() => heartbeat(), EVERY_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
