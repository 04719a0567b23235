import { sleep } from '@temporalio/workflow';
import { reviewRelease as contract, type ReviewReleaseResult } from '../src/contracts/review-release.ts';
import { quick, routed } from './parts/activities.ts';
import { useGates } from './parts/gates.ts';
import { messageOf, typeOf } from './parts/failure.ts';
import { parseInput } from './parts/input.ts';
import { startProcedure } from './parts/procedure.ts';

/** People have this long to hold a review before it closes as not held. */
const REVIEW_WINDOW_MS = 14 * 86_400_000;

/** Reminds people of a post-deployment review when it is due, and records who held it. It changes nothing else. */
export async function reviewRelease(raw: unknown): Promise<ReviewReleaseResult> {
  const input = parseInput(contract, raw);
  const procedure = startProcedure(contract.procedure, input);
  const gates = useGates(procedure);
  const result = await procedure.stoppable(async (): Promise<ReviewReleaseResult> => {
    await procedure.step('sleeping', `Review of ${input.service} ${input.version} is due at ${input.dueAt}`);
    await sleep(Math.max(0, Date.parse(input.dueAt) - Date.now()), { summary: 'until the review is due' });
    const slice = routed(await quick('Read the catalog').loadSlice(input));
    procedure.setChannels(slice.policies.deployRelease.notify);
    await procedure.step('waiting', `Review of ${input.service} ${input.version} is due`);
    const asks = `Was the review of ${input.service} ${input.version} (${input.release}) held?`;
    const roles = [...new Set(slice.people.flatMap((each) => each.roles))];
    try {
      await gates.pass(
        [
          {
            name: 'review-held',
            kind: 'confirmation',
            asks,
            roles,
            quorum: 1,
            fourEyes: false,
            expiresAfterMs: REVIEW_WINDOW_MS,
          },
        ],
        { digest: slice.digest, people: slice.people, identity: slice.identity, requestedBy: '' },
      );
    } catch (error) {
      if (typeOf(error) !== 'GateNotApproved') throw error;
      return { outcome: 'not-held', message: messageOf(error) };
    }
    return { outcome: 'held', message: gates.summary() };
  });
  await procedure.step('done', result.outcome === 'held' ? 'Review held' : 'Review not held');
  await procedure.settle();
  return result;
}
