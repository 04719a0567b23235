import type { ActionCall, RunbookStep } from '../../src/contracts/runbook.ts';
import { formatDuration } from '../../src/domain/duration.ts';
import { placeOf } from '../../src/domain/runbook/place.ts';
import { step as stepActivity, watch } from './activities.ts';
import { failure, typeOf } from './failure.ts';
import type { View } from './step-view.ts';
import { asksOnly, orAsk, type StepWork } from './step-work.ts';
import type { UndoStep } from './undo.ts';

/** A step that is tried, perhaps several times. */
export interface Attempt {
  step: RunbookStep;
  label: string;
  title: string;
  view: View;
  /** Called when it was taken back. */
  onUndone: () => void;
}

export interface Called {
  outcome: 'done' | 'skipped';
  output?: unknown;
}

/** The steps that call actions. One that fails, or whose deadline passes, is stuck and waits for a person. */
export interface Calls {
  act(attempt: Attempt, step: Extract<RunbookStep, { action: unknown }>): Promise<Called>;
  until(attempt: Attempt, step: Extract<RunbookStep, { until: unknown }>): Promise<Called>;
  /** The way back of a step that is no action. */
  registerUndo(attempt: Attempt): Promise<void>;
}

export function useCalls({ parts, slice, input, right, key: run }: StepWork): Calls {
  const { procedure, undo } = parts;
  const place = placeOf(slice);
  let token: number | undefined;
  const insist = (step: UndoStep): Promise<void> => undo.insist(step, asksOnly(input));
  /** Before a change, and before a way back is registered, which may be needed when nothing can be asked for any more. */
  const mayChange = async (action: string): Promise<void> => {
    if (slice.actions[action]?.needsLease === false) return;
    const tokens = await right.take();
    token = slice.service && tokens[slice.service.service];
  };

  const request = ({ action, with: parameters }: ActionCall, key: string) => ({
    action,
    parameters,
    place,
    key: `${run}/${key}`,
    ...(token === undefined ? {} : { token }),
  });
  const carryOut = (title: string, call: ActionCall, key: string, timeoutMs?: number): Promise<unknown> => {
    const facts = slice.actions[call.action];
    const limit = timeoutMs ?? facts?.timeoutMs;
    return stepActivity(title, {
      changes: facts?.changes ?? true,
      ...(limit === undefined ? {} : { timeoutMs: limit }),
    }).runAction(request(call, key));
  };
  const plan = (title: string, call: ActionCall, key: string) =>
    stepActivity(title, { changes: false }).planAction(request(call, key));

  return {
    async act(attempt, step) {
      const { label, title, view } = attempt;
      await mayChange(step.action);
      await registerUndo(attempt);
      let registered = false;
      let outcome: Called['outcome'] = 'skipped';
      let output: unknown;
      let failures = 0;
      await insist({
        name: title,
        triesAgain: 'unavailable',
        async run() {
          const call = { action: step.action, with: view.fill(step.with) as ActionCall['with'] };
          if (!registered) await registerOwn(attempt, call);
          registered = true;
          try {
            // An action that said no may be asked anew; one whose answer never came must find what it did.
            output = await carryOut(title, call, failures === 0 ? label : `${label}.${failures}`, step.timeout);
          } catch (error) {
            if (typeOf(error) !== 'Unavailable') failures++;
            throw error;
          }
          outcome = 'done';
        },
        async verify() {
          const call = { action: step.action, with: view.fill(step.with) as ActionCall['with'] };
          // Of others the plan cannot tell whether it was done: there the word of the person counts.
          if (slice.actions[step.action]?.convergent) {
            const { lines } = await plan(`Check: ${title}`, call, label);
            if (lines.length > 0) throw failure('ChecksFailed', `not done yet: ${lines.join('; ')}`);
          }
          outcome = 'done';
        },
      });
      return { outcome, ...(output === undefined ? {} : { output }) };
    },

    async until(attempt, step) {
      const { label, title, view } = attempt;
      const { until } = step;
      await registerUndo(attempt);
      let outcome: Called['outcome'] = 'skipped';
      let output: unknown;
      await insist({
        name: title,
        triesAgain: 'unavailable',
        async run() {
          const call = { action: until.action, with: view.fill(until.with) as ActionCall['with'] };
          const found = await watch(title, until.within).pollAction({
            ...request(call, label),
            is: until.is,
            scope: { ...view.scope, output: slice.actions[until.action]?.output ?? 'dyn' },
            values: view.valuesFor(until.is),
            everyMs: until.every,
            withinMs: until.within,
            holdsForMs: until.holdsFor,
          });
          ({ output } = found);
          if (!found.held) throw passed(until, found);
          outcome = 'done';
        },
        // A person has looked.
        verify: async () => void (outcome = 'done'),
      });
      return { outcome, ...(output === undefined ? {} : { output }) };
    },

    registerUndo,
  };

  /** Before the effect, because a crash may hide whether it took place. */
  async function registerOwn({ step, label, title, onUndone }: Attempt, call: ActionCall): Promise<void> {
    if (step.undo !== 'own') return;
    const { lines, undo: back } = await plan(`Look for the way back of ${title}`, call, label);
    for (const line of lines) procedure.record(`${title}: ${line}`);
    if (back) pushUndo(label, title, back, step, onUndone);
    else if (lines.length > 0) throw failure('Refused', `${call.action} says that this cannot be taken back`);
  }

  async function registerUndo({ step, label, title, view, onUndone }: Attempt): Promise<void> {
    if (step.undo === undefined || step.undo === 'own') return;
    const { action, with: parameters } = step.undo;
    await mayChange(action);
    const filled = await orAsk(undo, input, `${title}: undo`, () => view.fill(parameters) as ActionCall['with']);
    if (filled) pushUndo(label, title, { action, with: filled }, step, onUndone);
  }

  function pushUndo(
    label: string,
    title: string,
    back: ActionCall,
    { undoWhen }: RunbookStep,
    onUndone: () => void,
  ): void {
    const name = `Take back ${title}`;
    undo.push({
      name,
      ...(undoWhen === 'end' ? { temporary: true } : {}),
      async run() {
        await carryOut(name, back, `${label}/undo`);
        onUndone();
      },
    });
  }
}

function passed(
  { is, within }: Extract<RunbookStep, { until: unknown }>['until'],
  { output, fault, looks }: { output?: unknown; fault?: string; looks: number },
): Error {
  const last = fault ?? `the last output was ${JSON.stringify(output)?.slice(0, 300)}`;
  return failure('DeadlinePassed', `"${is}" did not hold within ${formatDuration(within)} (${looks} looks): ${last}`);
}
