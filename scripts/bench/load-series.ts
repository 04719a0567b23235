import { setTimeout as delay } from 'node:timers/promises';
import type { Load } from '../load/load-generator.ts';
import type { LoadReport } from '../load/load-report.ts';

/** Looks at a running load a hundred times a second, so that a moment can be judged after it has passed. */
export interface LoadSeries {
  /** The newest look before a time (milliseconds since the epoch). */
  before(at: number): LoadReport;
  /** The first look after a time; waits for it. */
  after(at: number): Promise<LoadReport>;
  stop(): Promise<void>;
}

const EVERY_MS = 10;

/** Milliseconds since the epoch. */
export const takenAt = ({ startedAt, durationMs }: LoadReport): number => startedAt + durationMs;

/** Begins to look. The load stays the caller's, who stops it after the series. */
export function watchLoad(load: Load): LoadSeries {
  const looks: LoadReport[] = [];
  let going = true;
  let failed: unknown;
  const looking = (async () => {
    while (going) {
      looks.push(await load.snapshot());
      await delay(EVERY_MS);
    }
  })().catch((error: unknown) => (failed = error));

  return {
    before(at) {
      const look = looks.findLast((each) => takenAt(each) < at);
      if (!look) throw new Error('the load began after the time asked for');
      return look;
    },
    async after(at) {
      for (;;) {
        if (failed) throw failed as Error;
        const look = looks.find((each) => takenAt(each) > at);
        if (look) return look;
        await delay(EVERY_MS);
      }
    },
    async stop() {
      going = false;
      await looking;
    },
  };
}

/** How new connections moved from one version to another after a switch. */
export interface Move {
  from: string;
  to: string;
  /** ISO 8601: the API server had answered the patch. */
  switchedAt: string;
  /** New connections answered within 5 s of the switch (up to 0.01 s before it are counted too), and how many by `to`. */
  within5s: { connections: number; onNew: number; share: number };
  /** From the patch to the last answer of `from` on a new connection, milliseconds; it may be negative. */
  lastOldAfterMs: number;
}

export async function judgeMove(series: LoadSeries, switchedAt: number, from: string, to: string): Promise<Move> {
  const [start, end] = [series.before(switchedAt), await series.after(switchedAt + 5000)];
  const gained = (version: string): number => newAnswers(end, version) - newAnswers(start, version);
  const [onOld, onNew] = [gained(from), gained(to)];
  const lastOld = end.versions[from]?.connections.new?.lastAt ?? switchedAt;
  return {
    from,
    to,
    switchedAt: new Date(switchedAt).toISOString(),
    within5s: { connections: onOld + onNew, onNew, share: onNew / (onOld + onNew) },
    lastOldAfterMs: Math.round(lastOld - switchedAt),
  };
}

const newAnswers = (report: LoadReport, version: string): number =>
  report.versions[version]?.connections.new?.count ?? 0;
