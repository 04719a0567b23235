import { failure } from '../failure.ts';
import type { Manifest } from '../../domain/release/objects.ts';
import type { Connection } from './connection.ts';
import { isFailedTest, statusBody } from './errors.ts';
import type { Operation } from './json-patch.ts';
import { namespaceOf, pathOf, type Kind, type Kinds } from './kinds.ts';
import { createPodCalls, type PodCalls } from './pods.ts';
import { createRequests, query } from './requests.ts';

/** Our name in managedFields. */
export const FIELD_MANAGER = 'windlass';

export interface Selection {
  labelSelector?: string;
  fieldSelector?: string;
}

export interface Write {
  /** Validated and completed by the server, not kept. */
  dryRun?: boolean;
}

/** Answer of an application, asked through the API server. */
export interface Proxied {
  status: number;
  text: string;
  /** Set when the API server could not reach the application: no ready endpoint, or none that answers. */
  unreachable?: string;
}

/**
 * One Kubernetes cluster. Every call is one request, bounded in time and never retried; every read is answered by the
 * API server, never from a cache.
 * @throws ApplicationFailure Forbidden, NotFound, InvalidInput, and Unavailable, which alone is worth a retry
 */
export interface Cluster extends PodCalls {
  /** Name of its context. */
  context: string;
  /** UID of the kube-system namespace, which no two clusters share; remembered for a few seconds. */
  identity(): Promise<string>;
  /** Undefined when it does not exist. */
  find<K extends Kind>(kind: K, namespace: string, name: string): Promise<Kinds[K] | undefined>;
  read<K extends Kind>(kind: K, namespace: string, name: string): Promise<Kinds[K]>;
  /** @param namespace undefined: all namespaces */
  list<K extends Kind>(kind: K, namespace: string | undefined, selection?: Selection): Promise<Kinds[K][]>;
  /** Undefined when an object of that name exists. */
  create<K extends Kind>(kind: K, namespace: string, manifest: Manifest, how?: Write): Promise<Kinds[K] | undefined>;
  /** Undefined when a test of the patch does not hold, and nothing was changed then. */
  patch<K extends Kind>(
    kind: K,
    namespace: string,
    name: string,
    operations: Operation[],
    how?: Write,
  ): Promise<Kinds[K] | undefined>;
  /** Deletes exactly what was read; what it owns goes in the background. `changed`: it is another one by now. */
  remove(
    kind: Kind,
    namespace: string,
    read: { name: string; uid: string; resourceVersion?: string },
  ): Promise<Removed>;
  /** GET through the API server's proxy of a Service, to one of its ready endpoints. */
  askService(namespace: string, service: string, port: number, path: string): Promise<Proxied>;
}

export type Removed = 'deleted' | 'gone' | 'changed';

const IDENTITY_TTL_MS = 3_000;

export function createCluster(context: string, connection: Connection): Cluster {
  let known: { uid: string; at: number } | undefined;
  const requests = createRequests(context, connection);
  const { send, askedFor } = requests;
  const self: Cluster = {
    context,
    ...createPodCalls(requests),

    async identity() {
      if (known && performance.now() - known.at < IDENTITY_TTL_MS) return known.uid;
      const asked = { verb: 'get', group: '', resource: 'namespaces', name: 'kube-system', context };
      const { body, ok, failed } = await send(asked, {
        method: 'GET',
        path: pathOf('Namespace', undefined, asked.name),
      });
      if (!ok) throw failed();
      known = { uid: (body as Kinds['Namespace']).metadata.uid, at: performance.now() };
      return known.uid;
    },

    async find<K extends Kind>(kind: K, namespace: string, name: string) {
      const asked = askedFor('get', kind, namespace, name);
      const { answer, body, ok, failed } = await send(asked, { method: 'GET', path: pathOf(kind, namespace, name) });
      if (answer.status === 404) return undefined;
      if (!ok) throw failed();
      return body as Kinds[K];
    },

    async read<K extends Kind>(kind: K, namespace: string, name: string) {
      const found = await self.find(kind, namespace, name);
      if (found) return found;
      throw failure(
        'NotFound',
        `${kind} ${name} is not in ${namespaceOf(kind, namespace) ? `namespace ${namespace} of ` : ''}${context}.`,
      );
    },

    async list<K extends Kind>(kind: K, namespace: string | undefined, selection: Selection = {}) {
      const asked = askedFor('list', kind, namespace);
      const path = `${pathOf(kind, namespace)}${query({ ...selection })}`;
      const { body, ok, failed } = await send(asked, { method: 'GET', path });
      if (!ok) throw failed();
      return (body as { items: Kinds[K][] }).items;
    },

    async create<K extends Kind>(kind: K, namespace: string, manifest: Manifest, how: Write = {}) {
      const asked = askedFor('create', kind, namespace, manifest.metadata.name);
      const path = `${pathOf(kind, namespace)}${query(writeQuery(how))}`;
      const { answer, body, ok, failed } = await send(asked, { method: 'POST', path, body: manifest });
      if (answer.status === 409 && statusBody(body)?.reason === 'AlreadyExists') return undefined;
      if (!ok) throw failed();
      return body as Kinds[K];
    },

    async patch<K extends Kind>(kind: K, namespace: string, name: string, operations: Operation[], how: Write = {}) {
      const asked = askedFor('patch', kind, namespace, name);
      const { answer, body, ok, failed } = await send(asked, {
        method: 'PATCH',
        path: `${pathOf(kind, namespace, name)}${query(writeQuery(how))}`,
        body: operations,
        contentType: 'application/json-patch+json',
      });
      if (isFailedTest(answer.status, body)) return undefined;
      if (!ok) throw failed();
      return body as Kinds[K];
    },

    async remove(kind, namespace, { name, uid, resourceVersion }) {
      const asked = askedFor('delete', kind, namespace, name);
      const preconditions = { uid, ...(resourceVersion ? { resourceVersion } : {}) };
      const { answer, ok, failed } = await send(asked, {
        method: 'DELETE',
        path: pathOf(kind, namespace, name),
        body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, propagationPolicy: 'Background' },
      });
      if (answer.status === 404) return 'gone';
      if (answer.status === 409) return 'changed';
      if (!ok) throw failed();
      return 'deleted';
    },

    async askService(namespace, service, port, path) {
      const asked = { ...askedFor('get', 'Service', namespace, service), resource: 'services/proxy' };
      const { answer, body, failed } = await send(asked, {
        method: 'GET',
        path: `${pathOf('Service', namespace, `${service}:${port}`)}/proxy${path}`,
      });
      const fromServer = statusBody(body);
      if (!fromServer) return { status: answer.status, text: answer.text };
      if (answer.status === 401 || answer.status === 403) throw failed();
      return { status: answer.status, text: '', unreachable: fromServer.message ?? `HTTP ${answer.status}` };
    },
  };
  return self;
}

const writeQuery = ({ dryRun }: Write): Record<string, string> => ({
  fieldManager: FIELD_MANAGER,
  ...(dryRun ? { dryRun: 'All' } : {}),
});
