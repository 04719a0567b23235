/**
 * Activities by the credentials they need. A worker may have some of the capabilities only, and then holds only their
 * credentials (docs/worker.md). Pure names, because workflows route by them and must not load the activities.
 *
 * - `core`: the catalog, change control, the audit, evidence, who decided, and what is measured for decisions. Workflows run
 *   there. No cluster, no database of a system.
 * - `deploy`: releases: Deployments, Services and what belongs to them, and the deploy workflow at GitHub.
 * - `backup`: backups and restores: passwords of databases, keys of backups and of their stores, workloads that use them.
 * - `operate`: steps of runbooks: whatever their actions touch.
 * - `notify`: telling people: tokens of Slack, PagerDuty, Statuspage, webhooks and mail servers.
 */
const ACTIVITIES = {
  core: [
    ...['loadSlice', 'loadEnvironment', 'loadRunbook', 'loadIncident', 'loadDatabase', 'loadWindow', 'loadErrorBudget'],
    ...['acquireLease', 'awaitHolderEnd', 'signalHolder', 'terminateHolder', 'admitChange', 'verifyStatement'],
    ...['findUnexported', 'recordRun', 'sealSegments', 'markReconciled', 'searchAudit', 'listAudit'],
    ...['readAuditObjects', 'keepEvidence', 'measureFacts', 'formerAlerts'],
    ...['measureErrorBudget', 'reportErrorBudget', 'readErrorBudget'],
  ],
  deploy: [
    ...['draftRelease', 'observeService', 'claimTarget', 'narrowService', 'restoreSelector', 'switchTraffic'],
    ...['recordOutcome', 'observeTraffic', 'awaitDrained', 'createColor', 'awaitRollout', 'removeColor'],
    ...['removePreview', 'pinAutoscaler', 'unpinAutoscaler', 'checkHealth', 'runSmokeTests', 'measure'],
    ...['detectInterference', 'runJob', 'keepColorEvidence', 'readDeployWorkflow', 'setDeployWorkflow'],
  ],
  backup: [
    ...['describeDatabase', 'dumpDatabase', 'listBackups', 'expireBackups', 'findBackup', 'draftRestore'],
    ...['restoreBeside', 'checkRestored', 'dropBeside', 'recordVerification', 'claimDatabase', 'closeDatabase'],
    ...['openDatabase', 'swapDatabases', 'describeDependants', 'claimDependants', 'stopDependants'],
    ...['startDependants', 'awaitDependants'],
  ],
  operate: ['planAction', 'runAction', 'pollAction', 'planRunbook'],
  notify: ['notify'],
} as const satisfies Record<string, readonly string[]>;

export type Capability = keyof typeof ACTIVITIES;
export type Routable = Exclude<Capability, 'core'>;

/** Names of the activities of one capability. */
export type ActivityOf<C extends Capability> = (typeof ACTIVITIES)[C][number];

export const CAPABILITIES = Object.keys(ACTIVITIES) as Capability[];

/** `core` stays where workflows run: the catalog, which says where the others are, is read by it. */
export const ROUTABLE = ['deploy', 'backup', 'operate', 'notify'] as const satisfies readonly Routable[];

/** Task queues of capabilities in one environment; the others are on the queue of the workflows. */
export type TaskQueues = { [C in Routable]?: string | undefined };

const capabilities = new Map<string, Capability>(
  CAPABILITIES.flatMap((capability) => ACTIVITIES[capability].map((name) => [name, capability] as const)),
);

/** Undefined for what is no activity of Windlass. */
export const capabilityOf = (activity: string): Capability | undefined => capabilities.get(activity);

/** Where an activity is carried out; undefined: on the queue of its workflow. */
export function queueOf(activity: string, queues: TaskQueues): string | undefined {
  const capability = capabilityOf(activity);
  return capability === undefined || capability === 'core' ? undefined : queues[capability];
}
