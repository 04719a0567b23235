import { POSTGRES_HOME, POSTGRES_USER_ID } from './image.ts';

/** Names of all its objects, and of what else is fixed. */
export const NAME = 'postgres';
export const SUPERUSER = 'windlass';
export const PASSWORD_KEY = 'password';
export const PORT = 5432;

export interface PostgresManifests {
  namespace: string;
  image: string;
  password: string;
  /** Folder of the node that holds its data; it belongs to `POSTGRES_USER_ID`. */
  data: string;
}

/** A PostgreSQL in a namespace of a cluster with one node: StatefulSet, Service, Secret, and who may read the Secret. */
export function postgresManifests({ namespace, image, password, data }: PostgresManifests): object[] {
  const labels = { app: NAME };
  const metadata = { name: NAME, namespace, labels };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', stringData: { [PASSWORD_KEY]: password } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ name: NAME, port: PORT, targetPort: NAME }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata,
      spec: {
        serviceName: NAME,
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podOf({ image, data }) },
      },
    },
    ...secretReader(namespace),
  ];
}

function podOf({ image, data }: Pick<PostgresManifests, 'image' | 'data'>): object {
  const isReady = ['pg_isready', '--quiet', '--host', '127.0.0.1'];
  return {
    terminationGracePeriodSeconds: 20,
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: POSTGRES_USER_ID, runAsGroup: POSTGRES_USER_ID },
    containers: [
      {
        name: NAME,
        image,
        imagePullPolicy: 'IfNotPresent',
        // Small, and without waiting for the disk, as the PostgreSQL beside the cluster: a machine that loses its power
        // loses the sandbox's data.
        args: ['-c', 'shared_buffers=32MB', '-c', 'max_connections=60', '-c', 'fsync=off'],
        command: ['/entrypoint.sh'],
        env: [
          { name: 'PGUSER', value: SUPERUSER },
          { name: 'PASSWORD_FILE', value: `/run/secrets/postgres/${PASSWORD_KEY}` },
        ],
        ports: [{ name: NAME, containerPort: PORT }],
        readinessProbe: { exec: { command: isReady }, periodSeconds: 1, timeoutSeconds: 5 },
        resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '384Mi' } },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        volumeMounts: [
          { name: 'data', mountPath: `${POSTGRES_HOME}/data` },
          { name: 'password', mountPath: '/run/secrets/postgres', readOnly: true },
        ],
      },
    ],
    volumes: [
      // Not a claim: it outlives the pod and the namespace as a claim's volume would, and the one node has no provisioner.
      { name: 'data', hostPath: { path: data, type: 'Directory' } },
      { name: 'password', secret: { secretName: NAME } },
    ],
  };
}

/** The worker's shipped permissions let it read no Secret; this one it may, for references `kubernetes:…/postgres#password`. */
function secretReader(namespace: string): object[] {
  const metadata = { name: `${NAME}-password-reader`, namespace };
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  return [
    {
      ...{ apiVersion, kind: 'Role', metadata },
      rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: [NAME], verbs: ['get'] }],
    },
    {
      ...{ apiVersion, kind: 'RoleBinding', metadata },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', name: 'windlass-worker', namespace: 'windlass' }],
    },
  ];
}
