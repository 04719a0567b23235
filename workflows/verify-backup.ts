import type { DatabaseSlice } from '../src/contracts/catalog.ts';
import { verifyBackup as contract, type VerifyBackupResult } from '../src/contracts/verify-backup.ts';
import { formatDuration } from '../src/domain/duration.ts';
import type { BackupActivities } from '../activities/backups.ts';
import { quick, routed } from './parts/activities.ts';
import { carryOut, prepare } from './parts/carry-out.ts';
import { failure } from './parts/failure.ts';
import { parseInput } from './parts/input.ts';
import { verify } from './parts/verification.ts';

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
  const { procedure, lease } = parts;

  return carryOut(parts, async () => {
    await procedure.step('planning', `Choose the backup of ${input.database}`);
    const slice = routed(await quick('Read the catalog').loadDatabase(input));
    procedure.setChannels(slice.policies.backUpDatabase.notify);
    const { systemIdentifier: identity } = await quick('Look at the database server').describeDatabase({ slice });
    const backup = await choose(slice);
    await lease.hold({ onBusy: 'queue', preempt: false });

    const verification = await verify(parts, slice, { id: backup.id, identity });
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
}
