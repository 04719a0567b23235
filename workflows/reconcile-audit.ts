import {
  ApplicationFailure,
  continueAsNew,
  executeChild,
  isCancellation,
  setCurrentDetails,
  sleep,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { Unexported } from '../activities/audit.ts';
import {
  exportAuditId,
  reconcileAuditInput,
  type ExportAuditResult,
  type ReconcileAuditInput,
  type ReconcileAuditResult,
} from '../src/contracts/audit.ts';
import { stream } from './parts/activities.ts';
import { parseShape } from './parts/audit.ts';
import { causeOf, failure, messageOf } from './parts/failure.ts';
import { exportAudit } from './export-audit.ts';

/** Rounds of one run; each is a search and the exports of some chains. */
const ROUNDS = 20;
/** Chains that are written at the same time. */
const AT_ONCE = 10;
/** How often it asks again whether another export of the same chain has ended. */
const AGAIN_MS = 500;

type Chain = Unexported['chains'][number];
/** What was done so far, over all runs. */
type SoFar = NonNullable<ReconcileAuditInput['soFar']>;

/**
 * Finds runs that have ended, however they ended, and exports those that are not in the audit: chain by chain, until
 * nothing is left. Started by a Schedule every minute for what is new, and by `windlass audit export`.
 * Doing it twice is doing it once. What failed is tried again the next time, because then nothing is marked as done.
 * @throws ApplicationFailure `Interfered` when histories could not be read; whatever kept a chain from being written
 */
export async function reconcileAudit(raw: unknown): Promise<ReconcileAuditResult> {
  const { soFar, ...asked } = parseShape<ReconcileAuditInput>('reconcileAudit', reconcileAuditInput, raw ?? {});
  const done: SoFar = soFar ?? { exported: 0, records: 0, sealed: 0, failed: [] };
  const skip = (): string[] => done.failed.map((each) => each.split(' ')[0]!);
  for (let round = 1; ; round++) {
    const found = await stream('Find what has ended').findUnexported({ ...asked, skip: skip() });
    for (let next = 0; next < found.chains.length; next += AT_ONCE)
      await allOf(found.chains.slice(next, next + AT_ONCE).map(exportOne));
    if (!found.more) {
      if (done.failed.length > 0) throw failure('Interfered', done.failed.join('; ').slice(0, 4000));
      if (!asked.system && !asked.environment) await stream('Note the time').markReconciled({ until: found.at });
      const { exported, records, sealed } = done;
      return { exported, records, sealed };
    }
    if (round === ROUNDS) await continueAsNew<typeof reconcileAudit>({ ...asked, soFar: done });
  }

  async function exportOne(chain: Chain): Promise<void> {
    setCurrentDetails(
      `Exports ${chain.runs.length} runs of ${chain.system} ${chain.environment}; ${done.exported} so far`,
    );
    try {
      add(await inTurn(chain));
    } catch (error) {
      if (isCancellation(error)) throw error;
      // Of the export itself, or of the activity in which it failed.
      const cause = causeOf(causeOf(error));
      const [result, unreadable] = (cause instanceof ApplicationFailure && cause.details) || [];
      // Another failure concerns every chain: the database, the store, the worker's configuration.
      if (!Array.isArray(unreadable)) throw cause;
      add(result as ExportAuditResult);
      done.failed.push(...(unreadable as string[]).map((runId) => `${runId} ${messageOf(error)}`.slice(0, 2000)));
    }
  }

  function add(result: ExportAuditResult): void {
    done.exported += result.exported;
    done.records += result.records;
    done.sealed += result.sealed;
  }
}

/** Lets everyone come to its end before the first failure is raised: one chain keeps no other out. */
async function allOf(running: Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(running)).find((each) => each.status === 'rejected');
  if (failed) throw failed.reason;
}

/** A chain has one writer: when one is at work, this waits until it has ended. */
async function inTurn(chain: Chain): Promise<ExportAuditResult> {
  for (;;) {
    try {
      return await executeChild(exportAudit, {
        workflowId: exportAuditId(chain),
        args: [chain],
        staticSummary: `Audit of ${chain.system} ${chain.environment}`,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      await sleep(AGAIN_MS, { summary: `Wait for the other export of ${chain.system} ${chain.environment}` });
    }
  }
}
