import type { GateOutcome } from '../src/contracts/gates.ts';
import {
  reviewBreakGlass as contract,
  type ReviewBreakGlassInput,
  type ReviewBreakGlassResult,
} from '../src/contracts/review-break-glass.ts';
import { quick, routed } from './parts/activities.ts';
import { messageOf, typeOf } from './parts/failure.ts';
import { outcomeOf, useGates } from './parts/gates.ts';
import { parseInput } from './parts/input.ts';
import { startProcedure } from './parts/procedure.ts';

/** People are told again this often at most. */
const REMINDERS = 4;

/**
 * Waits until somebody else has reviewed that one person passed a gate alone. It changes nothing, and cannot be
 * withdrawn by the one whom it is about.
 */
export async function reviewBreakGlass(raw: unknown): Promise<ReviewBreakGlassResult> {
  const input = parseInput(contract, raw);
  const procedure = startProcedure(contract.procedure, input);
  const gates = useGates(procedure);
  const result = await procedure.stoppable(async (): Promise<ReviewBreakGlassResult> => {
    await procedure.step('planning', `Review of the break-glass by ${input.by} at ${input.of}`);
    const { digest, people, identity } = routed(await quick('Read the catalog').loadEnvironment(input));
    procedure.setChannels(input.notify);
    await procedure.step('waiting', `Waiting for the review of what ${input.by} did at ${input.of}`);
    const openForMs = Math.max(1, Date.parse(input.dueAt) - Date.now());
    try {
      await gates.pass(
        [
          {
            name: 'break-glass-review',
            kind: 'confirmation',
            asks: asks(input),
            roles: input.roles,
            quorum: 1,
            fourEyes: true,
            expiresAfterMs: openForMs,
            remindEveryMs: Math.ceil(openForMs / REMINDERS),
            comment: 'required',
            withdrawable: false,
          },
        ],
        { digest, people, identity, requestedBy: input.by },
      );
    } catch (error) {
      if (typeOf(error) !== 'GateNotApproved') throw error;
      const outcome = ENDINGS[outcomeOf(error) ?? 'expired'];
      procedure.tell(`Break-glass of ${input.by} at ${input.of}: ${outcome}. ${messageOf(error)}`);
      return { outcome, message: messageOf(error) };
    }
    return { outcome: 'reviewed', message: gates.summary() };
  });
  await procedure.step('done', `Break-glass ${result.outcome}`);
  await procedure.settle();
  return result;
}

const ENDINGS: Record<GateOutcome, ReviewBreakGlassResult['outcome']> = {
  waiting: 'not-reviewed',
  approved: 'reviewed',
  rejected: 'objected',
  expired: 'not-reviewed',
  withdrawn: 'not-reviewed',
};

const asks = ({ by, gate, of, brokenAt, reason }: ReviewBreakGlassInput): string =>
  `${by} passed gate ${gate} of ${of} alone at ${brokenAt}: "${reason}". Approve when you have reviewed it, reject when it should not have been done.`;
