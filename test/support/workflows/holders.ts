import {
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  isCancellation,
  setHandler,
} from '@temporalio/workflow';
import type {
  ChangeControlInput,
  LeaseOverdue,
  LeaseRelease,
  Priority,
  StandDown,
  TakenFrom,
} from '../../../src/contracts/change-control.ts';
import { useLease } from '../../../workflows/parts/lease.ts';

export { changeControl } from '../../../workflows/change-control.ts';

export type Step =
  | { do: 'reserve'; onBusy: 'refuse' | 'queue' }
  | { do: 'hold'; onBusy: 'refuse' | 'queue'; preempt?: boolean; until?: number }
  | { do: 'release'; state: LeaseRelease['state'] }
  /** Until the signal `proceed`. */
  | { do: 'wait' };

export interface HolderInput {
  at: ChangeControlInput;
  scope: string;
  /** More that it asks for at the same time. */
  also?: string[];
  priority: Priority;
  steps: Step[];
  /** What it does when told to stand down; default: nothing, as a workflow whose worker hangs. */
  onStandDown?: 'hand-over';
}

export interface HolderView {
  token?: number;
  takenFrom?: TakenFrom;
  standDown?: StandDown;
  overdue?: LeaseOverdue;
  lines: string[];
  done: number;
}

export const proceed = defineSignal('proceed');
export const view = defineQuery<HolderView>('view');

/** A procedure that does nothing but hold a lease, step by step. */
export async function holder(input: HolderInput): Promise<HolderView> {
  const shown: HolderView = { lines: [], done: 0 };
  const work = new CancellationScope();
  let proceeds = 0;
  setHandler(proceed, () => void proceeds++);
  setHandler(view, () => shown);
  const lease = useLease({
    at: input.at,
    scope: input.scope,
    procedure: 'holder',
    requestedBy: 'ana',
    summary: `${input.priority} of ${input.scope}`,
    priority: input.priority,
    onChange: () => (shown.lines = lease.describe()),
    onOverdue: (overdue) => (shown.overdue = overdue),
    onStandDown: (order) => {
      shown.standDown = order;
      if (input.onStandDown === 'hand-over') work.cancel();
    },
  });
  lease.cover(input.also ?? []);
  try {
    await work.run(async () => {
      for (const step of input.steps) {
        if (step.do === 'reserve') await lease.reserve(step);
        else if (step.do === 'hold') Object.assign(shown, await lease.hold({ preempt: false, ...step }));
        else if (step.do === 'release') await lease.release(step.state);
        else await waitForProceed();
        shown.done++;
      }
    });
  } catch (error) {
    if (!isCancellation(error)) throw error;
    await lease.release(shown.standDown ? 'handed-over' : 'clean');
  }
  return shown;

  async function waitForProceed(): Promise<void> {
    await condition(() => proceeds > 0);
    proceeds--;
  }
}
