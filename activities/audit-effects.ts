import { ACTIONS } from '../src/actions/index.ts';
import { fieldsOf } from '../src/audit/labels.ts';

/**
 * Activities that only look, wait or compute. Whatever is not here counts as a change and is in the audit: one that was
 * forgotten makes a record too many, never one too few.
 */
const LOOKS: ReadonlySet<string> = new Set([
  ...['loadSlice', 'loadDatabase', 'loadRunbook', 'loadIncident', 'loadWindow', 'loadEnvironment', 'planRunbook'],
  'admitChange',
  ...[
    'observeService',
    'observeTraffic',
    'detectInterference',
    'measure',
    'measureFacts',
    'formerAlerts',
    'pollAction',
  ],
  ...['draftRelease', 'draftRestore', 'describeDatabase', 'describeDependants', 'listBackups', 'findBackup'],
  ...['loadErrorBudget', 'measureErrorBudget', 'readErrorBudget', 'readDeployWorkflow'],
  ...['checkHealth', 'checkRestored', 'runSmokeTests', 'assertFence'],
  ...['awaitRollout', 'awaitDrained', 'awaitDependants', 'awaitHolderEnd'],
  // The holder's own history has the Signal.
  'signalHolder',
]);

/** Steps of runbooks go through one activity, whether they change something or not. */
const RUNS_ACTIONS = 'runAction';

/** Whether an activity changes something, by its name and what it was given. */
export function isChange(activity: string, input: unknown): boolean {
  if (activity !== RUNS_ACTIONS) return !LOOKS.has(activity);
  return ACTIONS.get(String(fieldsOf(input)['action']))?.changes !== 'nothing';
}
