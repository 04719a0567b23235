import { createHash } from 'node:crypto';
import { activityInfo, cancellationSignal, heartbeat, sleep } from '@temporalio/activity';
import type { ActionContext, ActionPlace } from '../src/actions/action.ts';
import { failure } from '../src/adapters/failure.ts';
import { readServerCertificate } from '../src/adapters/certificate.ts';
import { getHttp } from '../src/adapters/http.ts';
import { queryPrometheus } from '../src/adapters/prometheus.ts';
import { targetOf } from '../src/domain/release/target.ts';
import { createActionSessions } from './action-sessions.ts';
import type { Dependencies } from './dependencies.ts';
import { openTarget, readFenced, verifyCluster } from './guard.ts';
import { tellChannels } from './tell.ts';

/** One call of an action, as workflows ask for it. */
export interface ActionRequest {
  action: string;
  /** As the runbook says, expressions filled in. */
  parameters: unknown;
  place: ActionPlace;
  /** Fencing token on the service; absent when the runbook holds no lease on one. */
  token?: number;
  /** Unique per workflow and step. */
  key: string;
}

/** What actions need of the outside. */
export type ActionDependencies = Pick<Dependencies, 'catalog' | 'kubernetes' | 'objects' | 'secrets'>;

export const HEARTBEAT_MS = 4_000;

/**
 * What an action may use in this attempt. Connections are made when they are first asked for, and `close` ends them.
 */
export function createActionContext(
  deps: ActionDependencies,
  { place, token, key }: Pick<ActionRequest, 'place' | 'token' | 'key'>,
): { context: ActionContext; close: () => Promise<void> } {
  const { kubernetes, objects } = deps;
  const { environment, service } = place;
  const target = service && targetOf({ ...environment, ...service });
  const former = activityInfo().heartbeatDetails as unknown;
  const signal = cancellationSignal();
  const sessions = createActionSessions(deps.secrets, place, signal);
  let progress = former;
  const beat = (details?: unknown): void => heartbeat((progress = details ?? progress));

  const context: ActionContext = {
    place,
    key,
    mark: createHash('sha256').update(key).digest('hex').slice(0, 12),
    objects,
    signal,
    former,
    now: () => Date.now(),
    heartbeat: beat,
    postgres: sessions.postgres,
    redis: sessions.redis,
    http: getHttp,
    certificate: (question) => readServerCertificate({ ...question, signal }),

    async cluster() {
      if (target) return openTarget(kubernetes, target);
      const cluster = kubernetes.connect(environment.cluster.context);
      const { context, uid } = environment.cluster;
      await verifyCluster(cluster, { context, ...(uid ? { clusterUid: uid } : {}) });
      return cluster;
    },

    async assertFence() {
      if (target && token !== undefined) await readFenced(await openTarget(kubernetes, target), { target, token });
    },

    async metric(query) {
      if (environment.prometheus) return queryPrometheus(environment.prometheus, query);
      throw failure('NotFound', `${environment.environment} of ${environment.system} names no Prometheus.`);
    },

    tell: (channels, text, subject) =>
      tellChannels(deps, { system: environment.system, channels, text, key, ...(subject ? { subject } : {}) }),

    async sleep(ms) {
      const until = Date.now() + ms;
      for (let left = ms; left > 0; left = until - Date.now()) {
        beat();
        await sleep(Math.min(left, HEARTBEAT_MS));
      }
    },
  };
  return { context, close: sessions.close };
}
