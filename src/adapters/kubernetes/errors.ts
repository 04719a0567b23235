import type { ApplicationFailure } from '@temporalio/common';
import { failure } from '../failure.ts';

/** What was asked of an API server, for the messages. */
export interface Asked {
  /** As RBAC names it: get, list, create, patch, delete. */
  verb: string;
  group: string;
  /** Plural, with a subresource where there is one: `services/proxy`. */
  resource: string;
  namespace?: string;
  name?: string;
  context: string;
}

/** `kind: Status`, how an API server answers when it does not answer with what was asked. */
export interface StatusBody {
  kind: 'Status';
  message?: string;
  reason?: string;
  code?: number;
  details?: { retryAfterSeconds?: number; causes?: { reason?: string; message?: string }[] };
}

/** Vendor errors end here: an answer other than success, as a named failure. */
export function failureOf(asked: Asked, status: number, body: unknown): ApplicationFailure {
  const answer = statusBody(body);
  const said = answer?.message ?? `HTTP ${status}`;
  if (status === 401)
    return failure(
      'Forbidden',
      `${asked.context} does not accept the worker's credentials (HTTP 401): renew them in its kubeconfig.`,
    );
  if (status === 403) return forbidden(asked, said);
  if (status === 404) return failure('NotFound', `${what(asked)} does not exist${where(asked)}: ${said}`);
  if (status === 409)
    return failure('Unavailable', `${what(asked)}${where(asked)} changed while it was being changed: ${said}`);
  if (status === 429 || status >= 500) {
    const seconds = answer?.details?.retryAfterSeconds;
    return failure(
      'Unavailable',
      `The API server of ${asked.context} cannot ${asked.verb} ${what(asked)} now (HTTP ${status}): ${said}`,
      [],
      seconds ? seconds * 1000 : undefined,
    );
  }
  return failure('InvalidInput', `The API server of ${asked.context} refuses to ${asked.verb} ${what(asked)}: ${said}`);
}

/** No answer at all: nothing is known about the effect, so that a change may have taken place. */
export function noAnswer(asked: Asked, error: unknown): ApplicationFailure {
  return failure(
    'Unavailable',
    `The API server of ${asked.context} did not answer (${asked.verb} ${what(asked)}): ${reasonOf(error)}`,
  );
}

/**
 * Whether a JSON Patch did not apply: a test of it did not hold, or what it names is not there. The API server says no
 * more than that; a patch whose result is invalid names the object and the causes.
 */
export const isFailedTest = (status: number, body: unknown): boolean =>
  status === 422 && statusBody(body)?.details?.causes === undefined;

export function statusBody(body: unknown): StatusBody | undefined {
  const status = body as StatusBody | undefined;
  return typeof body === 'object' && status?.kind === 'Status' ? status : undefined;
}

// RBAC's refusals alone name the verb and the resource in quotes; admission plugins write their own words.
const isRbac = (message = ''): boolean => /cannot \w+ resource "/.test(message);

/** Whether roles and bindings forbid it, and not an admission plugin. */
export const isRefusedByRoles = (status: number, body: unknown): boolean =>
  status === 403 && isRbac(statusBody(body)?.message);

function forbidden(asked: Asked, said: string): ApplicationFailure {
  if (!isRbac(said)) return failure('Forbidden', `${what(asked)} is not admitted${where(asked)}: ${said}`);
  const rule = `{ apiGroups: ['${asked.group}'], resources: ['${asked.resource}'], verbs: ['${asked.verb}'] }`;
  const remedy = asked.namespace
    ? `If the namespace exists, bind ClusterRole windlass-worker, or that of the worker's capability, in it (deploy/rbac/bindings has examples); it needs the rule ${rule}`
    : `Apply deploy/rbac/worker.yaml (and nodes.yaml for nodes and what runs on them); the worker needs the rule ${rule}`;
  return failure(
    'Forbidden',
    `The worker may not ${asked.verb} ${asked.resource}${where(asked)}. ${remedy}. The API server says: ${said}`,
    [{ ...asked }],
  );
}

const what = ({ resource, name }: Asked): string => (name ? `${resource}/${name}` : resource);
const where = ({ namespace, context }: Asked): string =>
  namespace ? ` in namespace ${namespace} of ${context}` : ` in ${context}`;

function reasonOf(error: unknown): string {
  const { name, message, code, cause } = error as Error & { code?: string };
  if (name === 'TimeoutError') return 'timeout';
  return [code ?? name, message, cause instanceof Error ? cause.message : ''].filter(Boolean).join(': ');
}
