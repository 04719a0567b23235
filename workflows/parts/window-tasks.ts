import { CancelledFailure, CancellationScope, executeChild, workflowInfo } from '@temporalio/workflow';
import type { EvidenceRef } from '../../src/contracts/evidence.ts';
import type {
  MaintenanceWindowInput,
  WindowPart,
  WindowReport,
  WindowSlice,
} from '../../src/contracts/maintenance-window.ts';
import { runRunbook } from '../../src/contracts/run-runbook.ts';
import { formatDuration } from '../../src/domain/duration.ts';
import type { WindowTask } from '../../src/contracts/window.ts';
import { iso, overrunText, taskText } from '../../src/domain/window/plan.ts';
import { notice } from './activities.ts';
import { failure, messageOf, typeOf } from './failure.ts';
import type { Procedure } from './procedure.ts';
import { sleepAs } from './sleep.ts';

interface WindowWork {
  procedure: Procedure;
  slice: WindowSlice;
  input: MaintenanceWindowInput;
  /** Of the leases that the runbooks run under. */
  tokens: Record<string, number>;
  report: WindowReport;
}

/** The runbooks of a window, one after another, each a workflow of its own. */
export interface WindowTasks {
  /** @throws ApplicationFailure when one fails; what comes after it is not begun */
  run(part: WindowPart): Promise<void>;
  /** Says how it ended and keeps the report as evidence, if the object store answers. */
  conclude(error?: unknown): Promise<EvidenceRef | undefined>;
}

export function useWindowTasks({ procedure, slice, input, tokens, report }: WindowWork): WindowTasks {
  const { opening, spec } = slice;
  let count = 0;
  /** Overruns that people were told of, by how long they had lasted. */
  const told = new Set<number>();

  return {
    async run(part) {
      for (const task of slice.work[part]) await runOne(part, task);
    },

    conclude: (error) =>
      CancellationScope.nonCancellable(async () => {
        report.overrunMs = Math.max(0, Date.now() - opening.closesAt);
        if (error !== undefined) report.failure = `${typeOf(error)}: ${messageOf(error)}`;
        const cut = report.tasks.filter(({ outcome }) => outcome === 'cut-off').map(({ runbook }) => runbook);
        const done = report.tasks.filter(({ outcome }) => outcome === 'done').length;
        if (error === undefined)
          procedure.tell(
            `Window ${slice.window} of ${slice.system} ${slice.environment} is over: ${done} of ${report.tasks.length} runbooks done, interrupted for ${formatDuration(report.interruptionMs)}${cut.length > 0 ? `; too late to begin: ${cut.join(', ')}` : ''}.`,
          );
        const { workflowId, firstExecutionRunId } = workflowInfo();
        const key = `runs/${workflowId}/${firstExecutionRunId}/report.json`;
        try {
          return await notice('Keep the report').keepEvidence({
            ...{ key, contentType: 'application/json', body: JSON.stringify(report, undefined, 2) },
          });
        } catch (unkept) {
          procedure.record(`the report was not kept: ${messageOf(unkept)}`);
          return undefined;
        }
      }),
  };

  async function runOne(part: WindowPart, task: WindowTask): Promise<void> {
    const { runbook } = task;
    const began = Date.now();
    // Checks afterwards take no part of the window away: they are what says that it may be over.
    if (part === 'tasks' && began > opening.lastStartAt) {
      report.tasks.push({ part, runbook, outcome: 'cut-off', tookMs: 0 });
      procedure.record(`${runbook} is not begun: after ${iso(opening.lastStartAt)} no task may begin`);
      return;
    }
    await procedure.step('changing', `${part}: ${taskText(task)}`);
    try {
      await watched(runbook, () => child(task));
    } catch (error) {
      const message = messageOf(error);
      report.tasks.push({ part, runbook, outcome: 'failed', tookMs: Date.now() - began, message });
      // A runbook that was canceled with the window says that it was aborted; the window knows by whom and why.
      if (CancellationScope.current().consideredCancelled) throw new CancelledFailure(message);
      throw failure(typeOf(error), `${part}: runbook ${runbook} failed: ${message}`);
    }
    report.tasks.push({ part, runbook, outcome: 'done', tookMs: Date.now() - began });
  }

  function child({ runbook, with: parameters }: WindowTask): Promise<unknown> {
    const { system, environment, requestedBy } = input;
    const workflowId = `${workflowInfo().workflowId}/${++count}-${runbook}`;
    procedure.show('runbook', `Runs ${workflowId}`);
    return executeChild(runRunbook.procedure, {
      workflowId,
      args: [
        {
          ...{ system, environment, runbook, parameters, requestedBy, service: spec.service },
          ...{ onFailure: 'fail', under: { tokens } },
        },
      ],
    });
  }

  /** Tells people when the window is over meanwhile, and again when it is over for long. */
  async function watched<T>(doing: string, work: () => Promise<T>): Promise<T> {
    const clock = new CancellationScope();
    const ticking = clock
      .run(async () => {
        for (const after of [0, spec.escalateAfter]) {
          const at = opening.closesAt + after;
          if (told.has(after)) continue;
          await sleepAs(after === 0 ? 'until the end' : 'until it is escalated', at - Date.now());
          told.add(after);
          procedure.tell(`${after > 0 ? 'Escalation: ' : ''}${overrunText(slice, doing, after)}`);
          if (after > 0) procedure.awaitRoles(['operator']);
        }
      })
      .catch(() => undefined);
    try {
      return await work();
    } finally {
      clock.cancel();
      await ticking;
    }
  }
}
