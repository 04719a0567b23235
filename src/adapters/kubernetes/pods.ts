import { failure } from '../failure.ts';
import { statusBody } from './errors.ts';
import { pathOf } from './kinds.ts';
import { query, type Requests } from './requests.ts';

export interface LogBounds {
  lines: number;
  bytes: number;
  /** Log of the container's former run. */
  previous?: boolean;
}

/** `changed`: a pod of that name is there, and it is another one. `blocked`: a disruption budget forbids it now. */
export type Eviction = { outcome: 'evicted' | 'gone' | 'changed' } | { outcome: 'blocked'; by: string };

/** What pods have that other objects do not. */
export interface PodCalls {
  /** Log of one container, its last lines. Undefined when there is none. */
  log(namespace: string, pod: string, container: string, bounds: LogBounds): Promise<string | undefined>;
  /** Asks for the end of exactly this pod, which disruption budgets may refuse for now. */
  evict(namespace: string, read: { name: string; uid: string }): Promise<Eviction>;
}

export function createPodCalls({ send, askedFor }: Requests): PodCalls {
  return {
    async log(namespace, pod, container, { lines, bytes, previous }) {
      const asked = { ...askedFor('get', 'Pod', namespace, pod), resource: 'pods/log' };
      const bounds = { container, tailLines: String(lines), limitBytes: String(bytes) };
      const which = { ...bounds, ...(previous ? { previous: 'true' } : {}) };
      const path = `${pathOf('Pod', namespace, pod)}/log${query(which)}`;
      const { answer, ok, failed } = await send(asked, { method: 'GET', path });
      // 400: the container has not started, or had no former run.
      if (answer.status === 404 || answer.status === 400) return undefined;
      if (!ok) throw failed();
      // The kubelet answers 200 with this sentence when the runtime removed the container a moment ago: a pod that crashes
      // again and again has the log of its next run soon.
      if (answer.text.startsWith('unable to retrieve container logs for '))
        throw failure('Unavailable', `The log of ${pod}/${container} went while it was read.`);
      return answer.text;
    },

    // https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/#how-api-initiated-eviction-works
    async evict(namespace, { name, uid }) {
      const asked = { ...askedFor('create', 'Pod', namespace, name), resource: 'pods/eviction' };
      const { answer, body, ok, failed } = await send(asked, {
        method: 'POST',
        path: `${pathOf('Pod', namespace, name)}/eviction`,
        body: {
          apiVersion: 'policy/v1',
          kind: 'Eviction',
          metadata: { name, namespace },
          deleteOptions: { preconditions: { uid } },
        },
      });
      if (ok) return { outcome: 'evicted' };
      if (answer.status === 404) return { outcome: 'gone' };
      if (answer.status === 409) return { outcome: 'changed' };
      // A server that is overloaded answers 429 too; only a budget is named as the cause.
      const budget = statusBody(body)?.details?.causes?.find(({ reason }) => reason === 'DisruptionBudget');
      if (answer.status === 429 && budget) return { outcome: 'blocked', by: budget.message ?? 'a disruption budget' };
      throw failed();
    },
  };
}
