import type { ContainerStatus, Deployment, KubernetesEvent, Pod } from './objects.ts';
import { isObserved } from './ownership.ts';

/** Why new pods do not become ready, told apart because each asks for something else. */
export type RolloutFault =
  | 'image-pull'
  | 'crash-loop'
  | 'out-of-memory'
  | 'unschedulable'
  | 'configuration'
  | 'probe'
  | 'quota'
  | 'admission'
  | 'timeout';

export type RolloutResult =
  | { ready: true; uid: string; templateHash: string; imageIds: string[] }
  | { ready: false; reason: RolloutFault; detail: string };

export interface RolloutView {
  deployment: Deployment;
  /** Pods of its current ReplicaSet. */
  pods: Pod[];
  /** Events of these pods. */
  events: KubernetesEvent[];
  /** Milliseconds since the epoch. */
  now: number;
}

type Ended = NonNullable<NonNullable<ContainerStatus['state']>['terminated']>;

type PodView = Omit<RolloutView, 'deployment'>;

/** What speaks against the rollout; `certain`: waiting longer will not help. */
export interface RolloutTrouble {
  reason: RolloutFault;
  detail: string;
  certain: boolean;
}

/** A cause that may pass by itself (a node joins, a quota is freed) must last this long to be certain. */
const SETTLED_MS = 20_000;
/** A crash that a container survived this long explains nothing any more. */
const FORGOTTEN_MS = 300_000;
/** A failure seen this often is not a hiccup. */
const OFTEN = 2;

/** Whether every replica runs the current template and is available. */
export function isRolledOut(deployment: Deployment): boolean {
  const { spec, status } = deployment;
  const wanted = spec.replicas ?? 1;
  return (
    isObserved(deployment) &&
    (status?.updatedReplicas ?? 0) === wanted &&
    (status?.replicas ?? 0) === wanted &&
    (status?.availableReplicas ?? 0) === wanted
  );
}

/**
 * Why a rollout is not done, the most certain cause first; undefined when nothing speaks against it but time.
 * Pure: everything it knows is in what was read.
 */
export function explainRollout(view: RolloutView): RolloutTrouble | undefined {
  const troubles = [...view.pods.flatMap((pod) => podTroubles(pod, view)), ...replicaTroubles(view)];
  return troubles.find(({ certain }) => certain) ?? troubles[0];
}

/** As `explainRollout`, for one pod by itself. */
export const explainPod = (pod: Pod, now: number, events: KubernetesEvent[] = []): RolloutTrouble | undefined =>
  podTroubles(pod, { pods: [pod], events, now })[0];

/** The Deployment could not even make its pods. */
function replicaTroubles({ deployment, now }: RolloutView): RolloutTrouble[] {
  const failed = deployment.status?.conditions?.find(
    (each) => each.type === 'ReplicaFailure' && each.status === 'True',
  );
  if (!failed) return [];
  const message = failed.message ?? '';
  const reason = message.includes('exceeded quota') ? 'quota' : 'admission';
  return [{ reason, detail: message, certain: since(failed.lastTransitionTime, now) >= SETTLED_MS }];
}

function podTroubles(pod: Pod, view: PodView): RolloutTrouble[] {
  const name = pod.metadata.name;
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const troubles = statuses.flatMap((status) => containerTroubles(status, pod, view));
  const scheduled = pod.status?.conditions?.find((each) => each.type === 'PodScheduled' && each.status === 'False');
  if (scheduled)
    troubles.push({
      reason: 'unschedulable',
      detail: `${name}: ${scheduled.message ?? 'no node takes it'}`,
      certain: since(scheduled.lastTransitionTime, view.now) >= SETTLED_MS,
    });
  const unready = statuses.find((status) => !status.ready && status.state?.running);
  if (troubles.length === 0 && unready) {
    const probe = eventsOf(pod, view)
      .filter(({ reason }) => reason === 'Unhealthy')
      .sort((a, b) => (a.lastTimestamp ?? '').localeCompare(b.lastTimestamp ?? ''))
      .at(-1);
    troubles.push({
      reason: 'probe',
      detail: `${name}: container ${unready.name} runs but is not ready${probe?.message ? `: ${probe.message.trim()}` : ''}`,
      certain: false,
    });
  }
  return troubles;
}

function containerTroubles(status: ContainerStatus, pod: Pod, view: PodView): RolloutTrouble[] {
  if (status.ready) return [];
  const at = `${pod.metadata.name}: container ${status.name}`;
  const waiting = status.state?.waiting;
  // A container that runs again and merely is not ready must not be blamed for what happened to it long ago.
  const before = status.lastState?.terminated;
  const recent = before && !(status.state?.running && since(before.finishedAt, view.now) > FORGOTTEN_MS);
  const ended = [status.state?.terminated, recent ? before : undefined].filter((each) => each !== undefined);
  const killed = ended.find(({ reason }) => reason === 'OOMKilled');
  if (killed)
    return [
      {
        reason: 'out-of-memory',
        detail: `${at} was killed for using more memory than its limit (${status.restartCount} restarts)`,
        certain: isOften(status.restartCount, view, 'OOMKilled'),
      },
    ];
  const crashed = ended.find(
    ({ exitCode, reason }) => exitCode !== 0 || (reason === 'Completed' && isMain(pod, status)),
  );
  if (crashed)
    return [
      {
        reason: 'crash-loop',
        detail: `${at} ended with exit code ${crashed.exitCode} (${causeOf(crashed)}), ${status.restartCount} restarts`,
        certain: status.restartCount >= OFTEN,
      },
    ];
  if (['InvalidImageName', 'ErrImageNeverPull', 'ErrImagePull', 'ImagePullBackOff'].includes(waiting?.reason ?? ''))
    return [
      {
        reason: 'image-pull',
        detail: `${at} cannot get its image: ${waiting?.message ?? waiting?.reason}`,
        certain:
          !waiting!.reason!.includes('Pull') || waiting!.reason === 'ErrImageNeverPull' || pulledInVain(pod, view),
      },
    ];
  if (['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError'].includes(waiting?.reason ?? ''))
    return [
      {
        reason: 'configuration',
        detail: `${at} cannot start: ${waiting?.message ?? waiting?.reason}`,
        certain: since(pod.status?.startTime, view.now) >= SETTLED_MS,
      },
    ];
  return [];
}

/** The runtime's own words when it could not even start the program; those of the program stay in its log. */
const causeOf = ({ reason = 'Error', message }: Ended): string =>
  message && ['StartError', 'ContainerCannotRun'].includes(reason) ? `${reason}: ${message.slice(0, 300)}` : reason;

/** Restarted often enough, or killed in several pods at once. */
function isOften(restarts: number, { pods }: PodView, reason: string): boolean {
  const hit = pods.filter((pod) =>
    (pod.status?.containerStatuses ?? []).some(
      ({ state, lastState }) => state?.terminated?.reason === reason || lastState?.terminated?.reason === reason,
    ),
  );
  return restarts >= OFTEN || hit.length >= OFTEN;
}

/** The registry refused it more than once: the first refusal may be a hiccup. */
function pulledInVain(pod: Pod, view: PodView): boolean {
  const attempts = eventsOf(pod, view).filter(
    ({ reason, message }) => reason === 'Failed' && message?.startsWith('Failed to pull image'),
  );
  return attempts.reduce((sum, { count, series }) => sum + (series?.count ?? count ?? 1), 0) >= OFTEN;
}

const eventsOf = (pod: Pod, { events }: PodView): KubernetesEvent[] =>
  events.filter(({ involvedObject }) => involvedObject.uid === pod.metadata.uid);

const isMain = (pod: Pod, status: ContainerStatus): boolean =>
  (pod.status?.containerStatuses ?? []).some(({ name }) => name === status.name);

const since = (time: string | undefined, now: number): number => (time ? now - Date.parse(time) : 0);
