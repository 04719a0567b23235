import type { Action } from '../action.ts';
import { awaitRollout } from './await-rollout.ts';
import { checkEndpoints } from './check-endpoints.ts';
import { checkNodes } from './check-nodes.ts';
import { deletePod } from './delete-pod.ts';
import { describePods } from './describe-pods.ts';
import { describeWorkload } from './describe-workload.ts';
import { drainNode } from './drain-node.ts';
import { listEvents } from './list-events.ts';
import { hideMaintenancePage, showMaintenancePage } from './maintenance-page.ts';
import { listRevisions } from './list-revisions.ts';
import { measurePodUsage } from './measure-pod-usage.ts';
import { cordonNode, uncordonNode } from './node.ts';
import { patchProbe } from './patch-probe.ts';
import { readPodLogs } from './read-pod-logs.ts';
import { restartWorkload } from './restart-workload.ts';
import { restoreEnv } from './restore-env.ts';
import { runJob } from './run-job.ts';
import { scaleWorkload } from './scale-workload.ts';
import { setAutoscaler } from './set-autoscaler.ts';
import { setEnv } from './set-env.ts';
import { setImage } from './set-image.ts';
import { setResources } from './set-resources.ts';
import { undoRollout } from './undo-rollout.ts';

export const KUBERNETES_ACTIONS = [
  scaleWorkload,
  restartWorkload,
  setImage,
  setEnv,
  restoreEnv,
  undoRollout,
  setResources,
  patchProbe,
  setAutoscaler,
  showMaintenancePage,
  hideMaintenancePage,
  deletePod,
  runJob,
  awaitRollout,
  cordonNode,
  uncordonNode,
  drainNode,
  describeWorkload,
  describePods,
  listRevisions,
  readPodLogs,
  listEvents,
  measurePodUsage,
  checkEndpoints,
  checkNodes,
] as Action[];
