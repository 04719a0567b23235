import { backUpDatabase } from '../../contracts/back-up-database.ts';
import type { Contract } from '../../contracts/contract.ts';
import { restoreDatabase } from '../../contracts/restore-database.ts';
import { verifyBackup } from '../../contracts/verify-backup.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../errors.ts';
import type { StartRequest } from '../server/start.ts';
import { checkInput, fillFields } from '../start-input.ts';
import { details, given, idOf } from '../start-request.ts';
import { plan, type PlanFlags } from './plan.ts';
import { startAndWait, type WaitFlags } from './release.ts';

/** Flags of everything that is done to a database. */
export interface DatabaseFlags {
  system?: string;
  environment?: string;
  database?: string;
  backup?: string;
  reason?: string;
  queue?: boolean;
}

type Places = (string | undefined)[];
type Run = (context: Context, places: Places, flags: DatabaseFlags & WaitFlags) => Promise<ExitCode>;
type DryRun = (context: Context, places: Places, flags: DatabaseFlags & PlanFlags) => Promise<ExitCode>;

const DOES = {
  backUpDatabase: 'back up',
  verifyBackup: 'verify a backup of',
  restoreDatabase: 'restore',
} as const;

const carryOut =
  (contract: Contract): Run =>
  (context, places, flags) =>
    startAndWait(context, requestOf(contract, places, flags, context.me), flags);

const dryRun =
  (contract: Contract): DryRun =>
  (context, places, flags) =>
    plan(context, requestOf(contract, places, flags, context.me, true), flags.timeout);

export const backUp = carryOut(backUpDatabase);
export const verify = carryOut(verifyBackup);
export const restore = carryOut(restoreDatabase);
export const planBackUp = dryRun(backUpDatabase);
export const planRestore = dryRun(restoreDatabase);

/** What a command starts. @throws CliError `usage`, `invalid-input` */
export function requestOf(
  contract: Contract,
  places: Places,
  flags: DatabaseFlags,
  me: string,
  planOnly?: true,
): StartRequest {
  const { system, environment, database, backup, reason, queue } = flags;
  const fields = fillFields(['system', 'environment', 'database'], places, given({ system, environment, database }));
  const input = checkInput(
    contract,
    given({ ...fields, backup, requestedBy: me, reason, planOnly, onBusy: queue ? 'queue' : undefined }),
  ) as StartRequest['input'];
  const does = DOES[contract.procedure as keyof typeof DOES];
  return {
    procedure: contract.procedure,
    workflowId: idOf(contract.workflowId(input), planOnly ?? false),
    input,
    summary: `${planOnly ? 'Plan: ' : ''}${does} ${fields.database} of ${input.system} ${input.environment}`,
    details: details(contract.description, { ...fields, backup, 'asked by': input.requestedBy, reason }),
  };
}
