import { workflowInfo } from '@temporalio/workflow';
import type { ShortManifest } from '../../activities/backups.ts';
import type { DatabaseSlice } from '../../src/contracts/catalog.ts';
import { backupIdOf } from '../../src/domain/backup/retention.ts';
import { runMark } from '../../src/domain/run-mark.ts';
import { stream } from './activities.ts';
import type { Procedure } from './procedure.ts';

/** The id of a backup that this run begins now. */
export const newBackupId = (): string => backupIdOf(Date.now(), runMark(workflowInfo().firstExecutionRunId));

/** Dumps a database under a lease that is held already. */
export async function dump(
  procedure: Procedure,
  slice: DatabaseSlice,
  id: string = newBackupId(),
): Promise<ShortManifest> {
  await procedure.step('changing', `Dump ${slice.spec.name} into ${id}`);
  const manifest = await stream(`Dump ${slice.spec.name}`).dumpDatabase({ slice, id });
  procedure.record(`${id}: ${manifest.tables} tables, ${manifest.rows} rows, ${manifest.object.bytes} bytes stored`);
  return manifest;
}
