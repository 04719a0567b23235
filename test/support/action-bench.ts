import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { createActionActivities, type ActionRequest, type PollRequest } from '../../activities/actions.ts';
import type { WatchResult } from '../../activities/watch-until.ts';
import type { ActionDependencies } from '../../activities/action-context.ts';
import type { ActionPlace, ActionPlan } from '../../src/actions/action.ts';
import { createKubernetesClients } from '../../src/adapters/kubernetes/clients.ts';
import { createSecretResolver } from '../../src/adapters/secrets.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import type { EvidenceInput } from '../../src/contracts/evidence.ts';
import { createKeptObjects } from './kept-objects.ts';

// What an action rejects with is what tests assert; the SDK would log it too.
const logger = new DefaultLogger('ERROR');

export interface ActionBenchOptions extends Partial<Omit<ActionPlace, 'environment'>> {
  environment?: Partial<ActionPlace['environment']>;
  kubeconfig?: string;
  channels?: Record<string, { kind: 'slack' | 'webhook'; url: string }>;
  env?: Record<string, string>;
  objects?: ActionDependencies['objects'];
  token?: number;
}

export interface Attempt {
  /** Of the step; the same one means another attempt of it. */
  key?: string;
  /** Heartbeat details of the attempt before. */
  former?: unknown;
  /** Told each heartbeat. */
  onHeartbeat?: (details: unknown) => void;
  /** Given what cancels the attempt. */
  onStart?: (cancel: () => void) => void;
}

/** Actions as a worker runs them, one attempt at a time. */
export interface ActionBench {
  plan(action: string, parameters: object, attempt?: Attempt): Promise<ActionPlan>;
  // What comes back is what the test asserts.
  run(action: string, parameters: object, attempt?: Attempt): Promise<any>; // eslint-disable-line @typescript-eslint/no-explicit-any
  poll(request: Omit<PollRequest, 'place' | 'key' | 'token'>, attempt?: Attempt): Promise<WatchResult>;
  kept: Map<string, EvidenceInput>;
}

export function createActionBench({
  environment,
  kubeconfig,
  channels = {},
  env = {},
  objects,
  token,
  ...place
}: ActionBenchOptions = {}): ActionBench {
  const store = createKeptObjects();
  const activities = createActionActivities({
    kubernetes: createKubernetesClients(kubeconfig ? { kubeconfig } : {}),
    objects: objects ?? store.objects,
    secrets: createSecretResolver({ env }),
    catalog: {
      current: () => Promise.resolve({ systems: new Map([['test', { catalog: { channels } }]]) } as unknown as Catalog),
    },
  });
  let calls = 0;
  const call = <Request extends ActionRequest>(
    activity: (request: Request) => Promise<unknown>,
    { action, parameters, ...more }: Omit<Request, 'place' | 'key' | 'token'>,
    attempt: Attempt = {},
  ) => {
    const mock = new MockActivityEnvironment(
      { heartbeatDetails: attempt.former, scheduledTimestampMs: Date.now() },
      { logger },
    );
    if (attempt.onHeartbeat) mock.on('heartbeat', attempt.onHeartbeat);
    attempt.onStart?.(() => mock.cancel());
    const request = {
      action,
      parameters,
      ...more,
      key: attempt.key ?? `test/step/${++calls}`,
      place: {
        environment: {
          digest: 'sha256:0',
          system: 'test',
          environment: 'local',
          cluster: { context: 'none' },
          namespace: 'none',
          production: false,
          people: [],
          ...environment,
        },
        ...place,
      },
      ...(token === undefined ? {} : { token }),
    };
    return mock.run(activity, request as unknown as Request);
  };
  return {
    plan: (action, parameters, attempt) =>
      call(activities.planAction, { action, parameters }, attempt) as Promise<ActionPlan>,
    run: (action, parameters, attempt) => call(activities.runAction, { action, parameters }, attempt),
    poll: (request, attempt) => call(activities.pollAction, request, attempt) as Promise<WatchResult>,
    kept: store.kept,
  };
}

/** Actions in one namespace of the sandbox's cluster, with the permissions that a worker ships with. */
export function createClusterActionBench(namespace: string, over: ActionBenchOptions = {}): ActionBench {
  const { kubernetes, prometheus } = readEndpoints();
  return createActionBench({
    environment: { cluster: { context: kubernetes.context }, namespace, prometheus: prometheus.url },
    kubeconfig: kubernetes.workerKubeconfig,
    ...over,
  });
}
