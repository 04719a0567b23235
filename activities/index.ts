import { createActionActivities } from './actions.ts';
import { createAdmissionActivities } from './admission.ts';
import { createAuditActivities } from './audit.ts';
import type { Dependencies } from './dependencies.ts';
import { createBackupActivities } from './backups.ts';
import { createCatalogActivities } from './catalog.ts';
import { createDependantActivities } from './dependants.ts';
import { createErrorBudgetActivities } from './error-budgets.ts';
import { createEvidenceActivities } from './evidence.ts';
import { createIncidentActivities } from './incidents.ts';
import { createLeasesActivities } from './leases.ts';
import { createNoticesActivities } from './notices.ts';
import { createReleaseActivities } from './release.ts';
import { createRestoreDraftActivities } from './restore-draft.ts';
import { createRestoreActivities } from './restores.ts';
import { createRunbookActivities } from './runbooks.ts';
import { createStatementActivities } from './statements.ts';
import { createWindowActivities } from './windows.ts';

/** Every activity of Windlass under its registered name. */
export function createActivities(deps: Dependencies) {
  return {
    ...createActionActivities(deps),
    ...createAdmissionActivities(deps),
    ...createAuditActivities(deps),
    ...createBackupActivities(deps),
    ...createCatalogActivities(deps),
    ...createDependantActivities(deps),
    ...createErrorBudgetActivities(deps),
    ...createEvidenceActivities(deps),
    ...createIncidentActivities(deps),
    ...createLeasesActivities(deps),
    ...createNoticesActivities(deps),
    ...createReleaseActivities(deps),
    ...createRestoreActivities(deps),
    ...createRestoreDraftActivities(deps),
    ...createRunbookActivities(deps),
    ...createStatementActivities(deps),
    ...createWindowActivities(deps),
  };
}

/** What workflows proxy. */
export type Activities = ReturnType<typeof createActivities>;
