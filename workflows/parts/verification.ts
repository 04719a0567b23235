import { workflowInfo } from '@temporalio/workflow';
import type { BackupVerification } from '../../src/contracts/backup.ts';
import type { DatabaseSlice } from '../../src/contracts/catalog.ts';
import { scratchName } from '../../src/domain/backup/names.ts';
import { runMark } from '../../src/domain/run-mark.ts';
import { cleanup, quick, stream } from './activities.ts';
import type { Parts } from './carry-out.ts';
import { failure, messageOf, typeOf } from './failure.ts';

/** Failures that say that the backup itself is no good, and not that it could not be looked at. */
const BAD = ['BackupCorrupt', 'WrongKey', 'DatabaseFailed'];

/**
 * Restores a backup into a scratch database, checks and compares it, records the outcome beside the backup, and drops the
 * scratch database however it ends. The lease on the database is held already.
 * @param identity of the database server
 * @throws ApplicationFailure `ChecksFailed` when the backup is not good, which is recorded
 */
export async function verify(
  { procedure, undo }: Pick<Parts, 'procedure' | 'undo'>,
  slice: DatabaseSlice,
  { id, identity }: { id: string; identity: string },
): Promise<BackupVerification> {
  const database = scratchName(slice.spec.name, runMark(workflowInfo().firstExecutionRunId));
  const drop = {
    name: `Drop ${database}`,
    run: () => cleanup(`Drop ${database}`).dropBeside({ slice, identity, database }),
  };
  undo.push(drop);
  const verification = await restoreAndCheck();
  await procedure.step('changing', 'Record the outcome');
  await quick('Record the outcome').recordVerification({ slice, verification });
  if (!verification.good) throw failure('ChecksFailed', `Backup ${id} is not good: ${verification.faults.join('; ')}.`);
  await undo.insist(drop);
  undo.clear();
  return verification;

  async function restoreAndCheck(): Promise<BackupVerification> {
    const verdict = (faults: string[], phases: BackupVerification['phases']): BackupVerification => ({
      id,
      at: new Date(Date.now()).toISOString(),
      good: faults.length === 0,
      faults,
      phases,
    });
    const phases = { restoreMs: 0, amcheckMs: 0, compareMs: 0 };
    const beside = { identity, id, database };
    await procedure.step('changing', `Restore ${id} into ${database}`, 'check it');
    try {
      const restored = await stream(`Restore ${id}`).restoreBeside({ slice, ...beside });
      await procedure.step('changing', `Check ${database}`, 'drop it');
      const { faults, ...checked } = await stream('Check the restored database').checkRestored({ slice, ...beside });
      return verdict(faults, { ...phases, ...restored, ...checked });
    } catch (error) {
      if (!BAD.includes(typeOf(error))) throw error;
      return verdict([messageOf(error)], phases);
    }
  }
}
