import { workflowInfo } from '@temporalio/workflow';
import type { BackupVerification } from '../src/contracts/backup.ts';
import type { DatabaseSlice } from '../src/contracts/catalog.ts';
import { verifyBackup as contract, type VerifyBackupResult } from '../src/contracts/verify-backup.ts';
import { scratchName } from '../src/domain/backup/names.ts';
import { formatDuration } from '../src/domain/duration.ts';
import { runMark } from '../src/domain/run-mark.ts';
import type { BackupActivities } from '../activities/backups.ts';
import { cleanup, quick, stream } from './parts/activities.ts';
import { carryOut, prepare } from './parts/carry-out.ts';
import { failure, messageOf, typeOf } from './parts/failure.ts';
import { parseInput } from './parts/input.ts';

/** Failures that say that the backup itself is no good, and not that it could not be looked at. */
const BAD = ['BackupCorrupt', 'WrongKey', 'DatabaseFailed'];

/**
 * Restores a backup into a scratch database, checks and compares it, records the outcome beside the backup, and drops the
 * scratch database however it ends. A backup that was never restored is a hope.
 */
export async function verifyBackup(raw: unknown): Promise<VerifyBackupResult> {
  const input = parseInput(contract, raw);
  const parts = prepare(contract.procedure, input, {
    scope: `database/${input.database}`,
    summary: `verify a backup of ${input.database} of ${input.environment}`,
    priority: 'maintenance',
  });
  const { procedure, undo, lease } = parts;

  return carryOut(parts, async () => {
    await procedure.step('planning', `Choose the backup of ${input.database}`);
    const slice = await quick('Read the catalog').loadDatabase(input);
    procedure.setChannels(slice.policies.backUpDatabase.notify);
    const { systemIdentifier: identity } = await quick('Look at the database server').describeDatabase({ slice });
    const backup = await choose(slice);
    await lease.hold({ onBusy: 'queue', preempt: false });

    const database = scratchName(slice.spec.name, runMark(workflowInfo().firstExecutionRunId));
    const drop = {
      name: `Drop ${database}`,
      run: () => cleanup(`Drop ${database}`).dropBeside({ slice, identity, database }),
    };
    undo.push(drop);
    const verification = await restoreAndCheck(slice, { identity, id: backup.id, database });
    await procedure.step('changing', 'Record the outcome');
    await quick('Record the outcome').recordVerification({ slice, verification });
    if (!verification.good)
      throw failure('ChecksFailed', `Backup ${backup.id} is not good: ${verification.faults.join('; ')}.`);
    await undo.insist(drop);
    undo.clear();
    const { restoreMs, amcheckMs, compareMs } = verification.phases;
    procedure.tell(
      `Backup ${backup.id} of ${input.database} is good: restored in ${formatDuration(restoreMs)}, checked in ${formatDuration(amcheckMs)}, compared in ${formatDuration(compareMs)}.`,
    );
    return { outcome: 'verified', verification };
  });

  async function choose(slice: DatabaseSlice): Promise<Awaited<ReturnType<BackupActivities['findBackup']>>> {
    const backup = await quick('Find the backup').findBackup({ slice, ...(input.backup ? { id: input.backup } : {}) });
    const { maxAge } = slice.spec.backup!;
    const age = Date.now() - Date.parse(backup.snapshotAt);
    if (input.backup || age <= maxAge) return backup;
    throw failure(
      'BackupMissing',
      `The newest backup of ${input.database}, ${backup.id}, is ${formatDuration(age)} old; it must not be older than ${formatDuration(maxAge)}. Back it up: windlass backup ${input.system} ${input.environment} ${input.database}`,
    );
  }

  async function restoreAndCheck(
    slice: DatabaseSlice,
    beside: { identity: string; id: string; database: string },
  ): Promise<BackupVerification> {
    const verdict = (faults: string[], phases: BackupVerification['phases']): BackupVerification => ({
      id: beside.id,
      at: new Date(Date.now()).toISOString(),
      good: faults.length === 0,
      faults,
      phases,
    });
    const phases = { restoreMs: 0, amcheckMs: 0, compareMs: 0 };
    await procedure.step('changing', `Restore ${beside.id} into ${beside.database}`, 'check it');
    try {
      const restored = await stream(`Restore ${beside.id}`).restoreBeside({ slice, ...beside });
      await procedure.step('changing', `Check ${beside.database}`, 'drop it');
      const { faults, ...checked } = await stream('Check the restored database').checkRestored({ slice, ...beside });
      return verdict(faults, { ...phases, ...restored, ...checked });
    } catch (error) {
      if (!BAD.includes(typeOf(error))) throw error;
      return verdict([messageOf(error)], phases);
    }
  }
}
