import { activityInfo, heartbeat } from '@temporalio/activity';

const EVERY_MS = 2_000;

/** Tells how much has been moved so far. */
export type Progress = (bytes: number) => void;

/**
 * Heartbeats while work goes on, with how much of it is done. By a timer: a statement on a large table, or a dump that waits
 * for a lock, tells nothing for minutes and is alive; what hangs has a timeout of its own.
 */
export async function whileAlive<T>(work: (progress: Progress) => Promise<T>): Promise<T> {
  let bytes = (activityInfo().heartbeatDetails as { bytes?: number } | undefined)?.bytes ?? 0;
  const timer = setInterval(() => heartbeat({ bytes }), EVERY_MS);
  try {
    return await work((so) => (bytes = so));
  } finally {
    clearInterval(timer);
  }
}
