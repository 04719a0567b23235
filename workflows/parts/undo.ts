import { CancellationScope, condition, isCancellation, setHandler } from '@temporalio/workflow';
import { rescueSchema, type OrderResult, type Rescue } from '../../src/contracts/messages.ts';
import { formatDuration } from '../../src/domain/duration.ts';
import { rescue, rescueSignal } from '../messages.ts';
import { failure, messageOf, typeOf } from './failure.ts';
import type { Procedure } from './procedure.ts';

/** How one effect is taken back. It must be safe to run whether or not the effect took place. */
export interface UndoStep {
  name: string;
  run: () => Promise<void>;
  /** After a person did it by hand: throws when it is not so. Default: `run`, which finds nothing to do. */
  verify?: () => Promise<void>;
  /** Taken back however the procedure ends: `settle` does it after a success. */
  temporary?: boolean;
  /**
   * Which failures are tried again by themselves while a person is awaited. Default: all, because taking back has to
   * end; `unavailable`: only when something could not be reached, because any other failure is an answer.
   */
  triesAgain?: 'unavailable';
}

export interface Undo {
  /** Registered before its effect, because a crash may hide whether the effect took place. */
  push(step: UndoStep): void;
  /** Nothing of what was pushed is to be taken back any more. */
  clear(): void;
  /**
   * After a success: takes back what was temporary, as `runAll` does, and keeps the rest.
   * @throws ApplicationFailure `GaveUp` when a person left something temporary as it is; `Fenced`
   */
  settle(): Promise<void>;
  /**
   * Carries out one step that must not be left half done; when it cannot finish it waits at a rescue gate.
   * @throws ApplicationFailure `GaveUp` when a person leaves the target as it is; `Fenced`; any failure but
   *   `Unavailable` when `only` says so, for steps before the first effect.
   */
  insist(step: UndoStep, only?: 'Unavailable'): Promise<void>;
  /**
   * Takes everything back, the last effect first, whatever cancels the procedure meanwhile. A step that cannot finish
   * waits at a rescue gate.
   * @returns what became of it; `gave-up` when a person left the target as it is.
   */
  runAll(): Promise<'undone' | 'gave-up'>;
}

/** Between tries while a person is awaited; the longest keeps the history of a stuck week small. */
const FIRST_PAUSE_MS = 15_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

/** A step that waits for a person, who may have decided already. */
interface Stuck {
  name: string;
  verdict?: Rescue;
}

/** Registers the rescue messages; called before the first `await`. */
export function useUndo(procedure: Procedure): Undo {
  const steps: UndoStep[] = [];
  /** Several at once when steps run side by side. */
  const stuck: Stuck[] = [];
  let gaveUp = false;

  const take = (raw: unknown): OrderResult => {
    const parsed = rescueSchema.safeParse(raw);
    if (!parsed.success)
      return {
        accepted: false,
        message: 'Expected {"verb": "retry|skip|done|give-up", "by": "<who>", "reason": "<why>"}.',
      };
    if (stuck.length === 0) return { accepted: false, message: 'No step is stuck; nothing was changed.' };
    const { step, verb, by, reason } = parsed.data;
    const meant = step === undefined ? stuck : stuck.filter(({ name }) => name === step);
    const [only] = meant;
    if (!only || meant.length > 1)
      return {
        accepted: false,
        message: `Expected "step" to be one of those that are stuck: ${namesOf(stuck)}.`,
      };
    only.verdict ??= parsed.data;
    procedure.record(`${by} says ${verb} for "${only.name}": ${reason}`);
    return { accepted: true, message: `${verb}: ${only.name}` };
  };
  const description =
    'Decide a stuck step: {"verb": "retry" | "skip" | "done" | "give-up", "by": "ana", "reason": "…"}';
  setHandler(rescue, take, { description });
  setHandler(rescueSignal, (raw) => void take(raw), { description });

  return {
    push: (step) => void steps.push(step),
    clear: () => void steps.splice(0),
    insist: (step, only) => carryOut('changing', step, only),
    runAll,
    async settle() {
      steps.splice(0, steps.length, ...steps.filter(({ temporary }) => temporary));
      if ((await runAll()) === 'gave-up') throw failure('GaveUp', 'What was temporary was not taken back.');
    },
  };

  function runAll(): Promise<'undone' | 'gave-up'> {
    return CancellationScope.nonCancellable(async () => {
      for (let step = steps.pop(); step && !gaveUp; step = steps.pop()) {
        await carryOut('undoing', step).catch((error: unknown) => {
          if (!gaveUp) throw error;
        });
      }
      return gaveUp ? 'gave-up' : 'undone';
    });
  }

  async function carryOut(phase: 'changing' | 'undoing', step: UndoStep, only?: 'Unavailable'): Promise<void> {
    let attempt = step.run;
    const mine: Stuck = { name: step.name };
    try {
      for (let tries = 0; ; tries++) {
        try {
          await procedure.step(phase, step.name);
          return await attempt();
        } catch (error) {
          const type = typeOf(error);
          if (isCancellation(error) || type === 'Fenced' || (only && type !== only)) throw error;
          const { verb, by, reason } = await askForRescue(step, mine, error, tries);
          if (verb === 'give-up') {
            gaveUp = true;
            throw failure('GaveUp', `${by} gave up "${step.name}": ${reason}. ${messageOf(error)}`);
          }
          if (verb === 'skip') return;
          attempt = verb === 'done' ? (step.verify ?? step.run) : step.run;
        }
      }
    } finally {
      if (stuck.includes(mine)) stuck.splice(stuck.indexOf(mine), 1);
      procedure.show(`stuck ${step.name}`, '');
      if (stuck.length === 0) procedure.awaitRoles([]);
    }
  }

  /** Waits for a person, and meanwhile tries again by itself: what was unreachable mostly comes back before anyone is awake. */
  async function askForRescue(
    step: UndoStep,
    mine: Stuck,
    error: unknown,
    tries: number,
  ): Promise<Pick<Rescue, 'verb' | 'by' | 'reason'>> {
    const message = messageOf(error);
    // Stuck until it is over, also while it is tried again: a decision made meanwhile counts after that try.
    if (!stuck.includes(mine)) stuck.push(mine);
    const alone = step.triesAgain !== 'unavailable' || typeOf(error) === 'Unavailable';
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** tries, LONGEST_PAUSE_MS);
    const again = alone ? `tried again in ${formatDuration(pauseMs)}; or decide` : 'decide';
    await procedure.step('rescue', `Stuck: ${step.name}`, `${again}: windlass rescue`);
    procedure.show(`stuck ${step.name}`, `"${step.name}" could not finish: ${message}`);
    procedure.awaitRoles(['operator']);
    if (tries === 0)
      procedure.tell(
        `Stuck: ${step.name}: ${message}. ${alone ? 'It is tried again by itself; decide' : 'Decide'} with windlass rescue.`,
      );
    const summary = `rescue: ${step.name}`.slice(0, 200);
    const said = () => mine.verdict !== undefined;
    await (alone ? condition(said, pauseMs, { summary }) : condition(said));
    const decided = mine.verdict;
    delete mine.verdict;
    return decided ?? { verb: 'retry', by: 'the clock', reason: 'nobody decided' };
  }
}

const namesOf = (stuck: Stuck[]): string =>
  stuck
    .map(({ name }) => `"${name}"`)
    .sort()
    .join(', ');
