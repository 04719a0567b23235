import { z } from 'zod';
import type { BackupManifest } from './backup.ts';
import type { Contract } from './contract.ts';
import type { Plan } from './plan.ts';
import { name, person, place, text } from './scalars.ts';

/** What every procedure on a database names first. */
export const databaseReference = { ...place, database: name.describe('Database of that system') };
export interface DatabaseReference {
  system: string;
  environment: string;
  database: string;
}

const input = z.strictObject({
  ...databaseReference,
  requestedBy: person,
  reason: text.optional(),
  planOnly: z.boolean().default(false).describe('Show the plan and touch nothing'),
});

export type BackUpDatabaseInput = z.output<typeof input>;

export interface BackUpDatabaseResult {
  outcome: 'backed-up' | 'planned';
  /** The new backup, without its tables. */
  backup?: Pick<BackupManifest, 'id' | 'snapshotAt' | 'object' | 'phases' | 'keyId'> & { rows: number; tables: number };
  /** Backups that had their time and were deleted. */
  expired?: string[];
  plan?: Plan;
}

export const backUpDatabase: Contract<typeof input> = {
  procedure: 'backUpDatabase',
  description: 'Dumps a database, compressed and encrypted, into its object store, and expires what is too old.',
  input,
  example: { system: 'sandbox', environment: 'local', database: 'shop', requestedBy: 'kim' },
  workflowId: (of) => `backup/${of.system}/${of.environment}/${of.database}`,
};
