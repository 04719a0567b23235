/**
 * The named failures of procedures and activities: the `type` of an ApplicationFailure, one line of meaning each.
 * Only `Unavailable` may be retried; any other one says that trying again changes nothing.
 */
export const FAILURES = {
  InvalidInput: 'the input of the procedure is not what its contract says',
  UnknownSystem: 'no catalog file has this system',
  UnknownEnvironment: 'the system has no such environment',
  UnknownService: 'the system has no such service',
  UnknownRunbook: 'the system has no such runbook',
  UnknownWindow: 'the system has no such window in this environment',
  UnknownErrorBudget: 'the catalog says nothing about the error budget of this environment',
  CatalogInvalid: 'the catalog on the worker does not load',
  SecretMissing: 'a secret reference of the catalog resolves to nothing',
  Forbidden: 'the API server (or another service) forbids it to the worker',
  NotFound: 'what must exist does not',
  WrongCluster: 'the context points at another cluster than the one that was planned for',
  Fenced: 'a newer lease than ours is on the target',
  Interfered: 'someone or something else changed the target',
  Refused: 'the plan names a reason not to do it',
  TimedOut: 'what was waited for did not come in the time it had',
  ChecksFailed: 'a check before the change does not pass',
  RolloutFailed: 'the new pods do not become ready',
  JobFailed: 'a Job before or after the deployment failed',
  SmokeFailed: 'a smoke test through the preview failed',
  MetricsFailed: 'the metrics of the soak are out of bounds',
  ExpressionFailed: 'an expression of a runbook has no value: something it names is not there, or of another type',
  DeadlinePassed: 'what a step waited for did not come true in time',
  WindowClosed: 'the window does not open now, or it is too late in it to begin',
  ChangesClosed: 'a freeze keeps changes out now; the message says which, and when it opens',
  GateNotApproved: 'a gate was rejected, withdrawn, or expired',
  LeaseUnavailable: 'another procedure holds the target',
  StoodDown: 'the procedure gave way to a rollback or an incident',
  IncidentsUnknown: 'the system says nothing about incidents',
  UnknownDatabase: 'the system has no such database',
  BackupMissing: 'there is no backup as asked for, or none that is young enough',
  BackupCorrupt: 'a backup in the store is not what was stored',
  WrongKey: 'a backup or a payload was encrypted with another key than those at hand',
  PayloadCorrupt: 'an encrypted payload of a history was altered or cut off',
  DiskFull: 'the database server has no room left for what must be written',
  DatabaseFailed: 'PostgreSQL, or one of its tools, refused or failed',
  Unavailable: 'a service did not answer, or answered that it cannot now (network, timeout, 429, 5xx)',
} as const;

export type FailureType = keyof typeof FAILURES;

/** Types that a retry policy lists as non-retryable: all but `Unavailable`. */
export const NON_RETRYABLE: FailureType[] = (Object.keys(FAILURES) as FailureType[]).filter(
  (type) => type !== 'Unavailable',
);
