import { sleep } from '@temporalio/workflow';
import type { ServiceSlice } from '../../src/contracts/catalog.ts';
import { formatDuration } from '../../src/domain/duration.ts';
import type { Measurement, Verdict } from '../../src/domain/release/analysis-types.ts';
import type { ReleasePlan } from '../../src/domain/release/plan-types.ts';
import { judgeRounds } from '../../src/domain/release/verdict.ts';
import { quick } from './activities.ts';
import type { Procedure } from './procedure.ts';

export interface SoakResult {
  verdict: Verdict;
  reasons: string[];
}

/** What serves while the soak runs; anything else found there is somebody else's doing. */
export interface Expected {
  deployment: string;
  uid: string;
  templateHash: string;
  selector: Record<string, string>;
}

/**
 * Watches the new color under real traffic: metrics by rounds, and whether anyone else touches the objects. It ends at
 * the first Fail or Interfered, else when the time is over and no failing streak is open.
 */
export async function soak(
  procedure: Procedure,
  { slice, plan, token, expected }: { slice: ServiceSlice; plan: ReleasePlan; token: number; expected: Expected },
): Promise<SoakResult> {
  const { duration, interval, warmUp } = slice.spec.release.soak;
  await sleep(warmUp, { summary: 'Wait for the first scrape of the new color' });
  const until = Date.now() + duration;
  const rounds: Measurement[][] = [];
  for (;;) {
    const changes = await quick('Look for changes by others').detectInterference({
      target: plan.target,
      token,
      expect: expected,
    });
    if (changes.length > 0) return { verdict: 'Interfered', reasons: changes };
    rounds.push(
      await quick('Metrics of the new color').measure({
        slice,
        metrics: 'metrics',
        deployment: expected.deployment,
        templateHash: expected.templateHash,
      }),
    );
    const { verdict, reasons, unsettled } = judgeRounds(slice.spec.metrics, rounds);
    const left = until - Date.now();
    procedure.show(
      'soak',
      `soak: ${verdict}${reasons.length > 0 ? ` (${reasons.join('; ')})` : ''}, ${left > 0 ? `${formatDuration(left)} left` : 'time is over'}`,
    );
    if (verdict === 'Fail' || (left <= 0 && !unsettled)) return { verdict, reasons };
    await sleep(Math.min(interval, Math.max(left, 1000)), { summary: `Soak: round ${rounds.length + 1}` });
  }
}
