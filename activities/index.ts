import type { Capability } from '../src/domain/capabilities.ts';
import { createActionActivities } from './actions.ts';
import { createAdmissionActivities } from './admission.ts';
import { createAuditActivities } from './audit.ts';
import type { Dependencies, SomeDependencies } from './dependencies.ts';
import { createBackupActivities } from './backups.ts';
import { createCatalogActivities } from './catalog.ts';
import { createDependantActivities } from './dependants.ts';
import { createDeployWorkflowActivities } from './deploy-workflow.ts';
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

/** What the activities of each capability are made of; their names are in src/domain/capabilities.ts. */
const GROUPS = {
  core: (deps: Dependencies) => ({
    ...createAdmissionActivities(deps),
    ...createAuditActivities(deps),
    ...createCatalogActivities(deps),
    ...createErrorBudgetActivities(deps),
    ...createEvidenceActivities(deps),
    ...createIncidentActivities(deps),
    ...createLeasesActivities(deps),
    ...createStatementActivities(deps),
    ...createWindowActivities(deps),
  }),
  deploy: (deps: Pick<Dependencies, 'kubernetes' | 'objects' | 'secrets'>) => ({
    ...createReleaseActivities(deps),
    ...createDeployWorkflowActivities(deps),
  }),
  backup: (deps: Pick<Dependencies, 'kubernetes' | 'secrets'>) => ({
    ...createBackupActivities(deps),
    ...createDependantActivities(deps),
    ...createRestoreActivities(deps),
    ...createRestoreDraftActivities(deps),
  }),
  operate: (deps: Pick<Dependencies, 'catalog' | 'kubernetes' | 'objects' | 'secrets'>) => ({
    ...createActionActivities(deps),
    ...createRunbookActivities(deps),
  }),
  notify: (deps: Pick<Dependencies, 'catalog' | 'secrets' | 'approvalUrl'>) => createNoticesActivities(deps),
} satisfies Record<Capability, (deps: Dependencies) => object>;

/** Every activity of Windlass under its registered name. */
export function createActivities(deps: Dependencies) {
  return {
    ...GROUPS.core(deps),
    ...GROUPS.deploy(deps),
    ...GROUPS.backup(deps),
    ...GROUPS.operate(deps),
    ...GROUPS.notify(deps),
  };
}

/**
 * The activities of some capabilities; those of others are not made.
 * @param deps with the object store, unless none of them keeps evidence
 */
export const createActivitiesOf = (deps: SomeDependencies, capabilities: readonly Capability[]): Partial<Activities> =>
  Object.assign({}, ...capabilities.map((each) => GROUPS[each](deps as Dependencies))) as Partial<Activities>;

/** What workflows proxy. */
export type Activities = ReturnType<typeof createActivities>;
