import type { ClusterPostgres } from '../../scripts/sandbox/cluster-postgres/start.ts';
import { apply, kubectl } from './namespace.ts';

/**
 * The Deployment `shop`, which depends on a database beside it: its pods write into `visits` all the time, and are ready
 * only while they can read `orders`. They know the server by its Service and Secret, as an application would.
 */
export async function deployWriters(
  { namespace, image, user }: ClusterPostgres,
  { database, replicas }: { database: string; replicas: number },
): Promise<void> {
  const labels = { app: 'shop' };
  const metadata = { name: 'shop', namespace, labels };
  const write = 'psql -qc "INSERT INTO visits (pod) VALUES (\'$POD\')"';
  const container = {
    name: 'app',
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['sh', '-c', `trap '' INT TERM; while :; do ${write} || :; sleep 0.5; done`],
    env: [
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'PGHOST', value: '$(POSTGRES_SERVICE_HOST)' },
      { name: 'PGUSER', value: user },
      { name: 'PGDATABASE', value: database },
      { name: 'PGCONNECT_TIMEOUT', value: '2' },
      { name: 'PGPASSWORD', valueFrom: { secretKeyRef: { name: 'postgres', key: 'password' } } },
    ],
    readinessProbe: {
      exec: { command: ['psql', '-qAtc', 'SELECT FROM orders LIMIT 1'] },
      periodSeconds: 1,
      timeoutSeconds: 5,
      failureThreshold: 2,
    },
    resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
  };
  await apply(
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        // It takes no notice of its end: it goes on writing for that long.
        template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 3, containers: [container] } },
      },
    },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports: [{ port: 80 }] } },
  );
  await kubectl('-n', namespace, 'rollout', 'status', 'deployment/shop', '--timeout=120s');
}
