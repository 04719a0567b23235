import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createReleaseActivities } from '../../activities/release.ts';
import type { ReleaseActivities } from '../../activities/release-types.ts';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { createKubernetesClients } from '../../src/adapters/kubernetes/clients.ts';
import type { ServiceSlice, Target } from '../../src/contracts/catalog.ts';
import type { EvidenceInput } from '../../src/contracts/evidence.ts';
import type { ReleasePlan } from '../../src/domain/release/plan-types.ts';
import type { ReleaseRecord } from '../../src/domain/release/state.ts';
import { targetOf } from '../../src/domain/release/target.ts';
import { createKeptObjects } from './kept-objects.ts';
import { slice as sliceOfTables } from './live.ts';

export const image = (version: string): string => `docker.io/windlass/sample:${version}`;

// What an activity rejects with is what tests assert; the SDK would log it too.
const logger = new DefaultLogger('ERROR');

/** The release activities as a worker with its shipped permissions runs them, on one namespace of the real cluster. */
export interface Bench {
  act: ReleaseActivities;
  target: Target;
  slice: ServiceSlice;
  /** What was given to the object store, by key. */
  kept: Map<string, EvidenceInput>;
  draft(version: string): Promise<ReleasePlan>;
}

export function createBench(namespace: string, spec: Partial<ServiceSlice['spec']> = {}): Bench {
  const { kubernetes, prometheus } = readEndpoints();
  const { objects, kept } = createKeptObjects();
  const activities = createReleaseActivities({
    kubernetes: createKubernetesClients({ kubeconfig: kubernetes.workerKubeconfig }),
    objects,
  });
  const table = sliceOfTables(spec);
  const slice: ServiceSlice = {
    ...table,
    cluster: { context: kubernetes.context },
    namespace,
    prometheus: prometheus.url,
  };
  const act = inActivityContext(activities);
  return {
    act,
    target: targetOf(slice),
    slice,
    kept,
    draft: (version) => act.draftRelease({ slice, image: image(version), version, requestedBy: 'ana' }),
  };
}

/** The record of one side of a plan. */
export const recordOf = (side: ReleasePlan['from'], outcome: ReleaseRecord['outcome'] = 'soaking'): ReleaseRecord => ({
  version: side.version,
  image: side.image,
  deployment: side.deployment,
  selector: side.selector,
  outcome,
  at: new Date().toISOString(),
  workflowId: 'deploy/test',
});

/** Activities as a worker runs them: with a context, and heartbeats that go nowhere. */
export function inActivityContext<Activities extends object>(activities: Activities): Activities {
  const run = (activity: (request: never) => Promise<unknown>) => (request: never) =>
    new MockActivityEnvironment({}, { logger }).run(activity, request);
  return Object.fromEntries(Object.entries(activities).map(([name, each]) => [name, run(each as never)])) as never;
}
