import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { WindowReport, WindowSlice } from '../../src/contracts/maintenance-window.ts';
import type { ActionCall } from '../../src/contracts/runbook.ts';
import { placeOf } from '../../src/domain/runbook/place.ts';
import { cleanup, quick } from './activities.ts';
import type { Parts } from './carry-out.ts';

/** Maintenance mode of a window: two calls of actions, as the catalog says. */
export interface Mode {
  /** What putting it on would change, in lines. */
  plan(): Promise<string[]>;
  /**
   * Puts it on, works, and takes it off however the work ended. Off waits at a rescue gate when it cannot be done; only
   * then, or when a person gave up, does it stay on.
   */
  during(token: number, report: WindowReport, work: () => Promise<void>): Promise<void>;
}

export function useMode({ procedure, undo }: Parts, slice: WindowSlice): Mode {
  const { mode } = slice.spec;
  const place = placeOf({ ...slice, databases: {}, redis: {} });
  const run = `runs/${workflowInfo().workflowId}/${workflowInfo().firstExecutionRunId}`;
  const request = ({ action, with: parameters }: ActionCall, way: 'on' | 'off') => ({
    ...{ action, parameters, place, key: `${run}/mode/${way}` },
  });

  return {
    async plan() {
      if (!mode) return [];
      return (await quick('Plan maintenance mode').planAction(request(mode.on, 'on'))).lines;
    },

    async during(token, report, work) {
      if (!mode) return work();
      const off = async (): Promise<void> => {
        await cleanup('Maintenance mode off').runAction({ ...request(mode.off, 'off'), token });
      };
      undo.push({ name: 'Maintenance mode off', temporary: true, run: off });
      const onAt = Date.now();
      const ended = await settled(async () => {
        await procedure.step('changing', 'Maintenance mode on', 'the tasks');
        await quick('Maintenance mode on').runAction({ ...request(mode.on, 'on'), token });
        const working = work();
        // A rollback or an incident is about to take over: it must find the service without the page, and does not wait
        // for what tasks take back.
        await Promise.race([working, CancellationScope.current().cancelRequested]).catch(async () => {
          if (procedure.stop?.kind !== 'stood-down') return;
          await CancellationScope.nonCancellable(off);
        });
        await working;
      });
      if (procedure.stop?.kind !== 'stood-down') {
        await CancellationScope.nonCancellable(() => undo.settle());
        procedure.record('maintenance mode is off');
      }
      report.interruptionMs = Date.now() - onAt;
      if (ended) throw ended;
    },
  };
}

/** The error that work ended with, if any. */
async function settled(work: () => Promise<void>): Promise<Error | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
