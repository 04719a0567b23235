import type { AcquireReply, AcquireRequest } from '../../src/contracts/change-control.ts';
import type { ServiceSlice } from '../../src/contracts/catalog.ts';
import type { Measurement } from '../../src/domain/release/analysis-types.ts';
import { planRelease } from '../../src/domain/release/plan.ts';
import type { ReleasePlan } from '../../src/domain/release/plan-types.ts';
import type { LiveService, ReleaseOutcome, ReleaseRecord } from '../../src/domain/release/state.ts';
import { color, deployment, live, slice as makeSlice, target } from './live.ts';

/** What a test sets before a run, and reads after it. */
export interface StandIn {
  slice: ServiceSlice;
  service: LiveService;
  /** Answers of `measure`, round by round; the last one repeats. */
  measurements: Measurement[][];
  /** What the next calls of an activity throw, by its name; used up from the front. */
  failures: Record<string, Error[]>;
  /** Extra answers by activity name: replaces the whole activity. */
  replace: Record<string, (argument: never) => unknown>;
  /** Activities that ran, in order. */
  calls: string[];
  notices: string[];
}

export function standIn(over: Partial<StandIn> = {}): StandIn {
  return {
    slice: makeSlice(),
    service: live({ deployments: [color('blue', 'v1')], selector: { app: 'shop', version: 'blue' }, releases: [] }),
    measurements: [[]],
    failures: {},
    replace: {},
    calls: [],
    notices: [],
    ...over,
  };
}

/**
 * Activities that keep a service in memory, for tests of time and order in workflows on the time-skipping server. What
 * the real ones do to a cluster is asserted on a real cluster, in test/activities and test/acceptance.
 */
export function standInActivities(world: StandIn): Record<string, (argument: never) => Promise<unknown>> {
  let token = 0;
  let round = 0;
  const activities: Record<string, (argument: never) => unknown> = {
    loadSlice: () => world.slice,
    admitChange: () => ({ verdict: 'admitted' }),
    draftRelease: ({ image, version }: { image: string; version: string }): ReleasePlan => ({
      ...planRelease({ slice: world.slice, target, image, version, live: world.service }),
      changes: [],
      digest: `sha256:${world.service.uid}${world.service.deployments.map(({ uid }) => uid).join('')}`,
    }),
    observeService: () => world.service,
    acquireLease: ({ request }: { request: AcquireRequest }): AcquireReply =>
      request.mode === 'reserve'
        ? { status: 'reserved', sequence: 1 }
        : { status: 'granted', token: ++token, sequence: 2 },
    checkHealth: () => ({ healthy: true, faults: [] }),
    runSmokeTests: () => ({ failures: [] }),
    runJob: () => ({ outcome: 'succeeded', detail: '' }),
    createColor: ({ plan }: { plan: ReleasePlan }) => {
      const created = color(plan.to.color as 'blue' | 'green', plan.to.version, { image: plan.to.image });
      world.service.deployments.push(created);
      return { uid: created.uid };
    },
    awaitRollout: ({ deployment: name }: { deployment: string }) => {
      const found = world.service.deployments.find((each) => each.name === name) ?? deployment();
      return { ready: true, uid: found.uid, templateHash: found.templateHash, imageIds: found.imageIds };
    },
    switchTraffic: (change: { record: ReleaseRecord; previous?: ReleaseRecord; previousOutcome: ReleaseOutcome }) => {
      const others = world.service.releases.filter(({ deployment: on }) => on !== change.record.deployment);
      const known = others.length > 0 ? others : change.previous ? [change.previous] : [];
      world.service.releases = [
        change.record,
        ...known.map((each, index) => (index === 0 ? { ...each, outcome: change.previousOutcome } : each)),
      ];
      world.service.selector = change.record.selector;
      return { switchedAt: change.record.at };
    },
    awaitDrained: () => ({ settledAt: '' }),
    detectInterference: () => [],
    measure: ({ metrics }: { metrics: string }) =>
      metrics === 'sla' ? [] : (world.measurements[Math.min(round++, world.measurements.length - 1)] ?? []),
    recordOutcome: ({ deployment: on, outcome }: { deployment: string; outcome: ReleaseOutcome }) => {
      world.service.releases = world.service.releases.map((each) =>
        each.deployment === on ? { ...each, outcome } : each,
      );
    },
    removeColor: ({ deployment: name }: { deployment: string }) => {
      const before = world.service.deployments.length;
      world.service.deployments = world.service.deployments.filter((each) => each.name !== name);
      return { removed: world.service.deployments.length < before, message: `${name} is gone` };
    },
    keepColorEvidence: () => ({ uri: 's3://evidence/x', sha256: '', bytes: 0, contentType: '' }),
    notify: ({ text }: { text: string }) => {
      world.notices.push(text);
      return { delivered: [], failed: [] };
    },
  };
  for (const name of [
    'claimTarget',
    'narrowService',
    'restoreSelector',
    'pinAutoscaler',
    'unpinAutoscaler',
    'removePreview',
    'terminateHolder',
  ])
    activities[name] = () => undefined;
  return Object.fromEntries(
    Object.entries(activities).map(([name, run]) => [
      name,
      async (argument: never): Promise<unknown> => {
        const failure = world.failures[name]?.shift();
        if (failure) throw failure;
        const answer = await (world.replace[name] ?? run)(argument);
        world.calls.push(name);
        return answer;
      },
    ]),
  );
}
