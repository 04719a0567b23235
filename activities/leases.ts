import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity';
import {
  changeControl,
  type AcquireReply,
  type AcquireRequest,
  type ChangeControlInput,
  type Holder,
  type LeaseGrant,
  type LeaseOverdue,
  type StandDown,
} from '../src/contracts/change-control.ts';
import { failure } from '../src/adapters/failure.ts';
import type { HolderEnd } from '../src/domain/lease/state.ts';
import {
  awaitClosed,
  describeRun,
  signalRun,
  terminateRun,
  updateWithStart,
  type Run,
} from '../src/adapters/temporal.ts';
import type { Dependencies } from './dependencies.ts';

/** A holder as activities find it: any run whose chain began with the first run id. */
type HolderId = Pick<Holder, 'workflowId' | 'firstRunId'>;

const ENDS: Record<string, HolderEnd> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'canceled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed-out',
};

/** Less than the start-to-close timeout of `acquireLease`, so that its own message is the one that is seen. */
const ANSWER_MS = 4500;
const HEARTBEAT_MS = 4000;

export function createLeasesActivities({ temporal, taskQueue }: Pick<Dependencies, 'temporal' | 'taskQueue'>) {
  return {
    /**
     * Asks change control, which is started by the first who asks. The answer comes at once; a queued request is
     * granted later by the signal `leaseGranted`. Effect: keyed, a repeated request id gets the same answer.
     * @throws InvalidInput, Unavailable
     */
    acquireLease({ at, request }: { at: ChangeControlInput; request: AcquireRequest }): Promise<AcquireReply> {
      return updateWithStart<AcquireReply>(temporal, {
        workflowType: changeControl.procedure,
        workflowId: changeControl.workflowId(at),
        taskQueue,
        input: at,
        update: 'acquire',
        updateId: request.requestId,
        argument: request,
        timeoutMs: ANSWER_MS,
      });
    },

    /**
     * Returns when the chain of runs that began with `firstRunId` has ended. A continued or reset run belongs to the
     * chain; another workflow under the same id does not.
     * @throws Unavailable, to be retried for ever
     */
    async awaitHolderEnd({ workflowId, firstRunId }: HolderId): Promise<{ status: HolderEnd }> {
      const alive = setInterval(() => heartbeat(), HEARTBEAT_MS);
      try {
        for (;;) {
          const run = await describeRun(temporal, workflowId);
          if (!run) return { status: 'not-found' };
          if (run.firstRunId !== firstRunId) return { status: await endOf(workflowId, firstRunId) };
          const end = ENDS[run.status];
          if (end) return { status: end };
          await awaitClosed(temporal, run, cancellationSignal());
        }
      } catch (error) {
        // Canceled: the reason says by whom, which decides whether the activity is tried again.
        if (cancellationSignal().aborted) throw cancellationSignal().reason;
        throw error;
      } finally {
        clearInterval(alive);
      }
    },

    /**
     * Signals the holder's run, whichever of its chain is the newest.
     * Effect: may-repeat; the holder knows a grant by its request id, and one stand-down is like many.
     * @returns `delivered: false` when the holder has ended and cannot have had it. An attempt before this one may have
     *   delivered it and not come back to say so: then what the holder did before its end is unknown, and it counts as
     *   delivered.
     */
    async signalHolder({
      holder,
      signal,
      payload,
    }:
      | { holder: HolderId; signal: 'leaseGranted'; payload: LeaseGrant }
      | { holder: HolderId; signal: 'standDown'; payload: StandDown }
      | { holder: HolderId; signal: 'leaseOverdue'; payload: LeaseOverdue }): Promise<{ delivered: boolean }> {
      const delivered = await onNewestRun(holder, (run) => signalRun(temporal, run, signal, payload));
      return { delivered: delivered || activityInfo().attempt > 1 };
    },

    /** Terminates the holder. @returns `terminated: false` when it had ended already */
    async terminateHolder({ holder, reason }: { holder: HolderId; reason: string }): Promise<{ terminated: boolean }> {
      const terminated = await onNewestRun(holder, (run) => terminateRun(temporal, run, reason));
      return { terminated };
    },
  };

  /** Does something with the newest run; again when that one was continued or reset meanwhile. */
  async function onNewestRun(holder: HolderId, act: (run: Run) => Promise<boolean>): Promise<boolean> {
    for (let attempt = 1; attempt <= 5; attempt++) {
      const run = await describeRun(temporal, holder.workflowId);
      if (!run || run.firstRunId !== holder.firstRunId || ENDS[run.status]) return false;
      if (await act(run)) return true;
    }
    throw failure('Unavailable', `${holder.workflowId} runs, but the server finds no run of it.`);
  }

  /** How a chain ended whose workflow id another chain has taken. */
  async function endOf(workflowId: string, firstRunId: string): Promise<HolderEnd> {
    const first = await describeRun(temporal, workflowId, firstRunId);
    // A chain of several runs: its last one is not found by id, and no end of a holder is better than terminated.
    return (first && ENDS[first.status]) ?? (first ? 'terminated' : 'not-found');
  }
}

export type LeasesActivities = ReturnType<typeof createLeasesActivities>;
