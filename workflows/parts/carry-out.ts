import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { LeaseRelease, Priority } from '../../src/contracts/change-control.ts';
import type { Place } from '../../src/contracts/scalars.ts';
import { detailOf, failure, messageOf, typeOf } from './failure.ts';
import { useLease, type Lease } from './lease.ts';
import { startProcedure, type Procedure } from './procedure.ts';
import { useUndo, type Undo } from './undo.ts';

/** What a procedure that changes something under a lease works with. */
export interface Parts {
  procedure: Procedure;
  undo: Undo;
  lease: Lease;
}

/** Registers all the messages that such a procedure takes; called before the first `await`. */
export function prepare(
  name: string,
  input: Place & { requestedBy: string },
  how: { scope?: string; summary: string; priority: Priority },
): Parts {
  const procedure = startProcedure(name, input);
  const undo = useUndo(procedure);
  const lease = useLease({
    at: input,
    procedure: name,
    requestedBy: input.requestedBy,
    ...how,
    onStandDown: procedure.yieldTo,
    onOverdue: ({ scope, until }) => {
      const text = `still holds ${scope}, which it should have given back at ${new Date(until).toISOString()}`;
      procedure.record(text);
      procedure.show('overdue', `OVERDUE: ${text}`);
      procedure.tell(`OVERDUE: ${workflowInfo().workflowId} ${text}. It is at: ${procedure.view.step}.`);
    },
    onChange: () => procedure.show('lease', lease.describe().join('; ')),
  });
  return { procedure, undo, lease };
}

/**
 * The frame of a procedure that changes things under a lease. Success releases the lease; any failure, abort or
 * cancellation first takes everything back, traffic first, and closes the workflow as failed with the named cause.
 * A procedure that stood down or was displaced takes nothing back: whoever took the lease does.
 */
export async function carryOut<Result>(
  { procedure, lease, undo }: Parts,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    const result = await procedure.stoppable(work);
    await CancellationScope.nonCancellable(async () => {
      await lease.release('clean');
      await procedure.step('done', 'Done');
      await procedure.settle();
    });
    return result;
  } catch (error) {
    return await CancellationScope.nonCancellable(() => giveBack(error));
  }

  async function giveBack(error: unknown): Promise<never> {
    const type = typeOf(error);
    // What a child took back is within what is told of all of it.
    const message = sentence(messageOf(error).replaceAll(` ${ENDINGS.clean}`, ''));
    procedure.record(`${type}: ${message}`);
    const state = await takeBack(type);
    await lease.release(state);
    procedure.tell(`${procedure.view.procedure} failed: ${type}: ${message} ${ENDINGS[state]}`);
    await procedure.step('failed', `${type}: ${message}`);
    procedure.show('ending', ENDINGS[state]);
    await procedure.settle();
    throw failure(type, `${message} ${ENDINGS[state]}`, {
      ...(type === 'GateNotApproved' || type === 'ChangesClosed' ? detailOf(error) : {}),
      lease: state,
    });
  }

  async function takeBack(type: string): Promise<LeaseRelease['state']> {
    if (type === 'StoodDown' || type === 'Fenced') return 'handed-over';
    try {
      return (await undo.runAll()) === 'undone' ? 'clean' : 'dirty';
    } catch (error) {
      // Displaced while it took things back: whoever moved the fence does the rest.
      procedure.record(messageOf(error));
      return typeOf(error) === 'Fenced' ? 'handed-over' : 'dirty';
    }
  }
}

const ENDINGS: Record<LeaseRelease['state'], string> = {
  clean: 'Everything it had changed was taken back.',
  'handed-over': 'It left the target to another procedure, which decides what becomes of it.',
  dirty: 'The target is left as it is and marked dirty until a rollback repairs it.',
};

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
