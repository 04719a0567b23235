import { backUpDatabase } from './back-up-database.ts';
import type { Contract } from './contract.ts';
import { deployRelease } from './deploy-release.ts';
import { maintenanceWindow } from './maintenance-window.ts';
import { handleIncident } from './handle-incident.ts';
import { retireColor } from './retire-color.ts';
import { restoreDatabase } from './restore-database.ts';
import { reviewBreakGlass } from './review-break-glass.ts';
import { reviewRelease } from './review-release.ts';
import { rollBackRelease } from './roll-back-release.ts';
import { runRunbook } from './run-runbook.ts';
import { verifyBackup } from './verify-backup.ts';
import { watchErrorBudget } from './watch-error-budget.ts';

/** Every procedure that people, schedules and webhooks may start, by workflow type. */
export const PROCEDURES: Record<string, Contract> = Object.fromEntries(
  [
    ...[deployRelease, rollBackRelease, retireColor, reviewRelease, runRunbook],
    ...[backUpDatabase, verifyBackup, restoreDatabase, maintenanceWindow, handleIncident],
    ...[reviewBreakGlass, watchErrorBudget],
  ].map((contract) => [contract.procedure, contract as unknown as Contract]),
);
