import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { isMap, merge } from '../../src/catalog/merge.ts';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import type { Overlay } from './worker.ts';

export const SYSTEM = 'agent-system';
/** The catalog's only service, and the name of its Deployment. */
export const SERVICE = 'agent-system';

type Values = Record<string, unknown>;
const read = (path: string): Values =>
  parse(readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8')) as Values;

/** The runbook's own file, as it is shipped: what production would do. */
export const shipped = (): Values => read('../../systems/agent-system.yaml');

/**
 * Lets the shipped file run on the sandbox: an environment (and so a namespace and a change control) per story, and
 * beside the service itself variants of it, each with a Kubernetes Service of its own as the catalog demands.
 * @param variants name of a service → what differs from `agent-system` (a JSON merge patch)
 * @param more changes of the whole file: other people or policies
 */
export function storyCatalog(environments: string[], variants: Record<string, Values>, more: Values = {}): Overlay {
  const { kubernetes, prometheus } = readEndpoints();
  const onSandbox = read('overlays/agent-system-on-sandbox.yaml');
  const merged = merge(shipped(), onSandbox) as { services: Record<string, Values> };
  const original = merged.services[SERVICE]!;
  const overlay = {
    ...onSandbox,
    environments: Object.fromEntries(
      environments.map((name) => [
        name,
        { cluster: { context: kubernetes.context }, namespace: name, prometheus: prometheus.url, production: true },
      ]),
    ),
    services: {
      ...(isMap(onSandbox['services']) ? onSandbox['services'] : {}),
      ...Object.fromEntries(
        Object.entries(variants).map(([name, change]) => [
          name,
          merge({ ...original, kubernetesService: serviceNameOf(name) }, change),
        ]),
      ),
    },
  };
  return merge(overlay, more) as Overlay;
}

/** Name of the Kubernetes Service of a service or one of its variants. */
export const serviceNameOf = (service: string): string => `${service}-service`;

/** Releases in a few seconds where metrics and Jobs are not what a story is about. */
export const BRISK = {
  release: {
    preDeployment: null,
    postDeployment: null,
    soak: { duration: '1s', interval: '1s', warmUp: '0s' },
  },
  metrics: [],
};
