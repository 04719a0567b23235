import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

// The rules are written once, in the Helm chart; what is here makes manifests of them for those who use kubectl.

/** A rule of a ClusterRole, as far as Windlass has any. */
export interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}

/** Capabilities that ask a cluster, in namespaces. The others, `core` and `notify`, ask none. */
export const CLUSTER_CAPABILITIES = ['deploy', 'backup', 'operate'] as const;

const FOLDER = new URL('../deploy/helm/windlass/files/rbac/', import.meta.url);

/** The rules of a file of the chart as it has them, with its comments. */
const textOf = (name: string): string => readFileSync(new URL(`${name}.yaml`, FOLDER), 'utf8').trimEnd();

export const rulesOf = (name: string): Rule[] => parse(textOf(name)) as Rule[];

/** One rule per resource, with every verb that any of the rules allows. */
export function unionOf(rules: Rule[]): Rule[] {
  const verbs = new Map<string, Set<string>>();
  for (const { apiGroups, resources, verbs: allowed } of rules)
    for (const group of apiGroups)
      for (const resource of resources) {
        const key = JSON.stringify([group, resource]);
        verbs.set(key, new Set([...(verbs.get(key) ?? []), ...allowed]));
      }
  return [...verbs].map(([key, allowed]) => {
    const [group, resource] = JSON.parse(key) as [string, string];
    return { apiGroups: [group], resources: [resource], verbs: [...allowed].sort() };
  });
}

/** Manifests of `deploy/rbac`, by file. */
export function rbacManifests(): Record<string, () => string> {
  return {
    'deploy/rbac/worker.yaml': () =>
      [
        MADE,
        '# What a worker with all capabilities may do, and nothing else (nodes.yaml: what it may do with nodes, where it shall;',
        '# capabilities.yaml: less, for workers with some). ClusterRole windlass-worker takes effect only in namespaces that bind',
        '# it (bindings/shop.yaml is an example).',
        manifest('v1', 'Namespace', 'windlass'),
        '---',
        manifest('v1', 'ServiceAccount', 'windlass-worker', 'windlass'),
        '---',
        clusterRole('windlass-worker', union()),
        '---',
        clusterRole('windlass-cluster-identity', textOf('cluster-identity')),
        '---',
        clusterRoleBinding('windlass-cluster-identity'),
      ].join('\n') + '\n',
    'deploy/rbac/capabilities.yaml': () =>
      [
        MADE,
        '# What workers with some capabilities may do (docs/deployment.md). Each takes effect only in namespaces that bind it, for',
        '# the ServiceAccount of the worker that has the capability (bindings/shop-split.yaml is an example).',
        ...CLUSTER_CAPABILITIES.flatMap((capability, index) => [
          ...(index > 0 ? ['---'] : []),
          clusterRole(`windlass-${capability}`, textOf(capability)),
        ]),
      ].join('\n') + '\n',
    'deploy/rbac/nodes.yaml': () =>
      [
        MADE,
        '# What cordonNode, uncordonNode, drainNode and checkNodes need. It holds in the whole cluster, because a node has pods of',
        '# every namespace: leave it out where Windlass shall not touch nodes.',
        clusterRole('windlass-nodes', textOf('nodes')),
        '---',
        clusterRoleBinding('windlass-nodes'),
      ].join('\n') + '\n',
  };
}

const MADE = '# Made by `npm run schema` from deploy/helm/windlass/files/rbac.';

const union = (): string =>
  unionOf(CLUSTER_CAPABILITIES.flatMap(rulesOf))
    .map(
      ({ apiGroups, resources, verbs }) =>
        `- { apiGroups: [${apiGroups[0] || "''"}], resources: [${resources.join(', ')}], verbs: [${verbs.join(', ')}] }`,
    )
    .join('\n');

const manifest = (apiVersion: string, kind: string, name: string, namespace?: string): string =>
  [
    `apiVersion: ${apiVersion}`,
    `kind: ${kind}`,
    'metadata:',
    `  name: ${name}`,
    ...(namespace ? [`  namespace: ${namespace}`] : []),
  ].join('\n');

const RBAC = 'rbac.authorization.k8s.io';

const clusterRole = (name: string, rules: string): string =>
  [manifest(`${RBAC}/v1`, 'ClusterRole', name), 'rules:', rules.replaceAll(/^/gm, '  ')].join('\n');

const clusterRoleBinding = (name: string): string =>
  [
    manifest(`${RBAC}/v1`, 'ClusterRoleBinding', name),
    'roleRef:',
    `  apiGroup: ${RBAC}`,
    '  kind: ClusterRole',
    `  name: ${name}`,
    'subjects:',
    '  - kind: ServiceAccount',
    '    name: windlass-worker',
    '    namespace: windlass',
  ].join('\n');
