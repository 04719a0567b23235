import type { Load } from '../../scripts/load/load-generator.ts';
import { startLoadProcess } from '../../scripts/load/load-process.ts';
import { adminCluster, apply, kubectl, sampleContainer, type TestNamespace } from './namespace.ts';

/** A service of a shipped system, played by the sample application under the names of its file. */
export interface App {
  deployment: string;
  /** Also its label `app` and its Service. */
  container: string;
}

/** An agent of the platform. */
export const agentOf = (id: string): App => ({ deployment: `${id}-deployment`, container: id });
export const AGENT = agentOf('agent');
/** The API of the agent hive. */
export const API: App = { deployment: 'leanvibe-api', container: 'leanvibe-api' };

export const sample = (tag: string): string => `docker.io/windlass/sample:${tag}`;

/**
 * Applies it anew at v1, and its pod is ready when this returns. Old pods end before new ones start, so that a bad version
 * is down and not merely late. A ConfigMap of its name may hold its faults, which it reads when it starts.
 */
export async function deployReadyApp({ name: namespace }: TestNamespace, app: App): Promise<void> {
  const { deployment, container } = app;
  const labels = { app: container };
  const env = [
    { name: 'APP_FAULTS', valueFrom: { configMapKeyRef: { name: container, key: 'faults', optional: true } } },
  ];
  const annotations = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' };
  const pod = { terminationGracePeriodSeconds: 2, containers: [sampleContainer('v1', { name: container, env })] };
  await apply(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: deployment, namespace, labels },
      spec: {
        replicas: 1,
        strategy: { type: 'Recreate' },
        selector: { matchLabels: labels },
        template: { metadata: { labels, annotations }, spec: pod },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: container, namespace },
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    },
  );
  await rolledOut({ name: namespace }, app);
}

export const rolledOut = ({ name }: Pick<TestNamespace, 'name'>, { deployment }: App): Promise<string> =>
  kubectl('-n', name, 'rollout', 'status', `deployment/${deployment}`, '--timeout=120s');

/** Sets the image of its container, as a deployment that went wrong did. */
export const setImage = ({ name }: TestNamespace, { deployment, container }: App, image: string): Promise<string> =>
  kubectl('-n', name, 'set', 'image', `deployment/${deployment}`, `${container}=${image}`);

/** Its container as the cluster has it. */
export const containerOf = async ({ name }: TestNamespace, { deployment }: App) =>
  (await adminCluster().read('Deployment', name, deployment)).spec.template.spec.containers[0]!;

/** The faults of its next pods, and the pods that have them now are replaced. */
export async function setFaults(namespace: TestNamespace, app: App, faults: object): Promise<void> {
  await writeFaults(namespace, app, faults);
  await kubectl('-n', namespace.name, 'rollout', 'restart', `deployment/${app.deployment}`);
  await rolledOut(namespace, app);
}

/** The faults of its next pods. */
export const writeFaults = ({ name: namespace }: TestNamespace, { container }: App, faults: object): Promise<void> =>
  apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: container, namespace },
    data: { faults: JSON.stringify(faults) },
  });

/** Sends requests to its Service until it is stopped. */
export async function sendTraffic(
  { name }: TestNamespace,
  { container }: App,
  requestsPerSecond: number,
): Promise<Load> {
  const address = await kubectl('-n', name, 'get', 'service', container, '-o', 'jsonpath={.spec.clusterIP}');
  return startLoadProcess({ url: `http://${address}/`, requestsPerSecond, connections: 1 });
}
