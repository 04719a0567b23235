import { z } from 'zod';
import { databaseReference } from './back-up-database.ts';
import type { BackupVerification } from './backup.ts';
import type { Contract } from './contract.ts';
import { person } from './scalars.ts';

/** Name of a backup, as `windlass backups` shows it. */
export const backupId = z
  .string()
  .regex(/^\d{8}T\d{6}Z-[0-9a-f]{8}$/, 'expected the id of a backup, such as 20261125T020000Z-1f3870be');

const input = z.strictObject({
  ...databaseReference,
  backup: backupId.optional().describe('Default: the newest one, which must not be older than the catalog allows'),
  requestedBy: person,
});

export type VerifyBackupInput = z.output<typeof input>;

/** A backup that is not good closes the workflow as failed. */
export interface VerifyBackupResult {
  outcome: 'verified';
  verification: BackupVerification;
}

export const verifyBackup: Contract<typeof input> = {
  procedure: 'verifyBackup',
  description: 'Restores a backup into a scratch database, checks and compares it, and drops it again.',
  input,
  example: { system: 'sandbox', environment: 'local', database: 'shop', requestedBy: 'kim' },
  workflowId: (of) => `verify/${of.system}/${of.environment}/${of.database}`,
};
