import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import type { Decision, DecisionResult, GateView } from '../../src/contracts/gates.ts';
import type { ProgressView } from '../../src/contracts/progress.ts';

/** Nothing here takes longer, on a busy machine neither. */
const WITHIN_S = 120;

/** The people of the catalog who decide its gates. */
export const DECIDERS: Record<string, string> = {
  security: 'security-team@agents.example.com',
  'engineering-lead': 'eng-lead@agents.example.com',
  'devops-ready': 'devops-on-call',
  'window-confirmed': 'devops-on-call',
  'release-to-go-back-to': 'eng-lead@agents.example.com',
  'team-ready': 'devops-on-call',
  interference: 'devops-on-call',
  'unclear-soak': 'devops-on-call',
};

/** How a procedure ended. */
export type Ending =
  | { ok: true; result: Record<string, any> } // eslint-disable-line @typescript-eslint/no-explicit-any
  | { ok: false; type: string; message: string };

/** A procedure under way, as an operator has it: by its messages and queries. */
export interface RunningProcedure {
  id: string;
  handle: WorkflowHandle;
  progress(): Promise<ProgressView>;
  gates(): Promise<GateView[]>;
  /** Waits until it is there, or ended; a procedure that ended elsewhere fails the wait with how. */
  until(what: string, reached: (view: ProgressView) => boolean): Promise<ProgressView>;
  /** Waits until its gates are open and shows them. */
  untilGatesOpen(): Promise<GateView[]>;
  decide(decision: Partial<Decision> & { gate: string }): Promise<DecisionResult>;
  /** Approves every open gate as the right people. */
  approveAll(): Promise<void>;
  ending(): Promise<Ending>;
  /** Events of its history by type: `WorkflowTaskFailed` must be none. */
  failedWorkflowTasks(): Promise<number>;
}

export function follow(handle: WorkflowHandle): RunningProcedure {
  const progress = (): Promise<ProgressView> => handle.query<ProgressView>('progress');
  const gates = (): Promise<GateView[]> =>
    // A query times out when the worker has no time for it just then.
    waitFor('an answer', () => handle.query<GateView[]>('gates'), { timeoutSeconds: 60 });
  const procedure: RunningProcedure = {
    id: handle.workflowId,
    handle,
    progress,
    gates,
    async until(what, reached) {
      let ended: string | undefined;
      return waitFor(
        what,
        async () => {
          const view = await progress();
          if (reached(view)) return view;
          if (view.phase === 'failed' || view.phase === 'done') ended = `${view.phase}: ${view.step}`;
          return undefined;
        },
        {
          timeoutSeconds: WITHIN_S,
          giveUp: () => {
            if (ended) throw new Error(`${handle.workflowId} did not reach "${what}", it is ${ended}`);
          },
        },
      );
    },
    async untilGatesOpen() {
      await procedure.until('open gates', ({ awaiting }) => awaiting.length > 0);
      return gates();
    },
    async decide({ gate, decision = 'approve', by = DECIDERS[gate] ?? 'nobody', code, reason }) {
      const shown = code ?? (await gates()).find(({ name }) => name === gate)?.code ?? '';
      const args: [Decision] = [{ gate, decision, by, code: shown, ...(reason ? { reason } : {}) }];
      return handle.executeUpdate<DecisionResult, [Decision]>('decide', { args });
    },
    async approveAll() {
      for (const { name, outcome } of await procedure.untilGatesOpen()) {
        if (outcome !== 'waiting') continue;
        const answer = await procedure.decide({ gate: name });
        if (answer.code !== 'recorded') throw new Error(`${name} was not approved: ${answer.code}: ${answer.message}`);
      }
    },
    async ending() {
      try {
        return { ok: true, result: (await handle.result()) as Record<string, unknown> };
      } catch (error) {
        const cause = error instanceof WorkflowFailedError ? error.cause : error;
        if (cause instanceof ApplicationFailure) return { ok: false, type: cause.type ?? '', message: cause.message };
        const { name, message } = cause as Error;
        return { ok: false, type: name, message };
      }
    },
    async failedWorkflowTasks() {
      const { events } = await handle.fetchHistory();
      return (events ?? []).filter((event) => event.workflowTaskFailedEventAttributes).length;
    },
  };
  return procedure;
}
