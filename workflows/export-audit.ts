import { setCurrentDetails } from '@temporalio/workflow';
import {
  exportAuditId,
  exportAuditInput,
  type ExportAuditInput,
  type ExportAuditResult,
} from '../src/contracts/audit.ts';
import { stream } from './parts/activities.ts';
import { parseShape } from './parts/audit.ts';
import { failure, messageOf, typeOf } from './parts/failure.ts';

/**
 * Adds runs that have ended to the chain of one system and environment, then writes what is new to the object store. Its
 * workflow id is the chain's, so there is one at a time (`reconcileAudit` starts it and waits for one that goes on).
 * A run that is there already is passed over. One whose history cannot be read does not keep the others out.
 * @throws ApplicationFailure `Interfered` at its end, its details: the result, and the run ids that cannot be read
 */
export async function exportAudit(raw: unknown): Promise<ExportAuditResult> {
  const { system, environment, runs } = parseShape<ExportAuditInput>('exportAudit', exportAuditInput, raw);
  const chain = { system, environment };
  const result: ExportAuditResult = { exported: 0, already: 0, gone: 0, records: 0, sealed: 0 };
  const unreadable: { runId: string; why: string }[] = [];
  for (const [index, run] of runs.entries()) {
    setCurrentDetails(`${exportAuditId(chain)}: run ${index + 1} of ${runs.length}, ${run.workflowId}`);
    try {
      const { outcome, records } = await stream(`Record ${run.workflowId}`).recordRun(run);
      result[outcome]++;
      result.records += records;
    } catch (error) {
      if (typeOf(error) !== 'Interfered') throw error;
      unreadable.push({ runId: run.runId, why: messageOf(error) });
    }
  }
  result.sealed = (await stream('Write to the object store').sealSegments(chain)).sealed;
  if (unreadable.length === 0) return result;
  const why = unreadable.map((each) => each.why).join('; ');
  throw failure('Interfered', why.slice(0, 4000), result, unreadable.map(({ runId }) => runId)); // prettier-ignore
}
