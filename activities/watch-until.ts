import { ApplicationFailure } from '@temporalio/common';
import { ExpressionFault } from '../src/expressions/fault.ts';
import type { FailureType } from '../src/domain/failures.ts';
import { MAX_RESULT_BYTES, cutOutput } from '../src/domain/runbook/output.ts';
import { hasHeld, look as observe, type Watched } from '../src/domain/runbook/hold.ts';

/** How a condition was waited for. */
export interface WatchResult {
  held: boolean;
  /** What the last look found. */
  output?: unknown;
  looks: number;
  /** Why the last look was none, or did not count. */
  fault?: string;
}

export interface Watching {
  look: () => Promise<unknown>;
  /** @throws ExpressionFault when it has no value for this output, which is a no */
  holds: (output: unknown) => boolean;
  now: () => number;
  sleep: (ms: number) => Promise<void>;
  /** Kept for the attempt after this process. */
  remember: (state: Watched) => void;
  /** What an earlier attempt kept. */
  former: unknown;
  everyMs: number;
  holdsForMs: number;
  /** Milliseconds since the epoch; the last look is at this time. */
  deadline: number;
}

/** No later look can change these. */
const HOPELESS = new Set<string | undefined | null>([
  'InvalidInput',
  'Forbidden',
  'WrongCluster',
  'SecretMissing',
  'Fenced',
] satisfies FailureType[]);

/** Looks until the condition has held without a break, or the deadline is over. A look that fails breaks it. */
export async function watchUntil(parts: Watching): Promise<WatchResult> {
  const { now, everyMs, holdsForMs, deadline } = parts;
  let state: Watched = isWatched(parts.former) ? parts.former : { looks: 0 };
  for (;;) {
    const seen = await lookOnce(parts);
    state = observe(state, seen.holds, now(), everyMs);
    parts.remember(state);
    const { holds: _, ...found } = seen;
    const held = hasHeld(state, holdsForMs);
    if (held || now() >= deadline) return { held, looks: state.looks, ...found };
    await parts.sleep(Math.max(1, Math.min(everyMs, deadline - now())));
  }
}

async function lookOnce({ look, holds }: Watching): Promise<{ holds: boolean; output?: unknown; fault?: string }> {
  let output: unknown;
  try {
    output = await look();
    return { holds: holds(output), output: cutOutput(output, MAX_RESULT_BYTES) };
  } catch (error) {
    if (error instanceof ExpressionFault) {
      return { holds: false, output: cutOutput(output, MAX_RESULT_BYTES), fault: error.message };
    }
    if (!(error instanceof ApplicationFailure) || HOPELESS.has(error.type)) throw error;
    return { holds: false, fault: error.message };
  }
}

const isWatched = (value: unknown): value is Watched =>
  typeof value === 'object' && value !== null && typeof (value as Watched).looks === 'number';
