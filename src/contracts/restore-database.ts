import { z } from 'zod';
import { databaseReference } from './back-up-database.ts';
import type { Contract } from './contract.ts';
import type { Plan } from './plan.ts';
import { person, text } from './scalars.ts';
import { backupId } from './verify-backup.ts';

const input = z.strictObject({
  ...databaseReference,
  backup: backupId.optional().describe('Default: the newest one'),
  requestedBy: person,
  reason: text.describe('Why; told to everyone'),
  planOnly: z.boolean().default(false).describe('Show the plan and touch nothing'),
  onBusy: z.enum(['refuse', 'queue']).default('refuse').describe('When another procedure holds what it changes'),
});

export type RestoreDatabaseInput = z.output<typeof input>;

export interface RestoreDatabaseResult {
  outcome: 'restored' | 'planned';
  backup?: string;
  /** Name of the database that was replaced; it takes no connections and is kept until a person drops it. */
  damaged?: string;
  /** What was written after the backup and before the database was closed is lost: so many milliseconds. */
  rpoMs?: number;
  /** From the request until the dependants were ready again, in milliseconds; waiting for approval included. */
  rtoMs?: number;
  /** From the approval on. */
  restoreMs?: number;
  plan?: Plan;
}

export const restoreDatabase: Contract<typeof input> = {
  procedure: 'restoreDatabase',
  description:
    'Restores a backup beside a damaged database, proves it, and swaps the two while the dependants are stopped.',
  input,
  example: {
    system: 'sandbox',
    environment: 'local',
    database: 'shop',
    requestedBy: 'kim',
    reason: 'table orders was dropped',
  },
  workflowId: (of) => `restore/${of.system}/${of.environment}/${of.database}`,
};
