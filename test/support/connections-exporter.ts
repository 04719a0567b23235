import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type pg from 'pg';
import { node } from '../../scripts/sandbox/ports.ts';
import { apply, sampleContainer, type TestNamespace } from './namespace.ts';

/** What the agent hive's API would measure of its pool, read from the database itself. */
export interface ConnectionsExporter {
  close(): void;
}

/**
 * Serves how many connections a user has to a database, and how many the database takes. Prometheus finds targets by pods:
 * one on the network of the node, annotated with the port of this exporter, leads it here.
 * @param admin a client that may look at all sessions
 */
export async function exportConnections(
  { name: namespace }: TestNamespace,
  admin: pg.Client,
  { database, user }: { database: string; user: string },
): Promise<ConnectionsExporter> {
  const server = createServer((_, response) => {
    const sql = `SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = d.datname AND usename = $2) AS active,
      d.datconnlimit AS most FROM pg_database d WHERE d.datname = $1`;
    admin.query<{ active: string; most: number }>(sql, [database, user]).then(
      ({ rows: [row] }) =>
        response
          .setHeader('content-type', 'text/plain; version=0.0.4')
          .end(`leanvibe_database_connections_active ${row!.active}\nleanvibe_database_connections_max ${row!.most}\n`),
      () => response.writeHead(500).end(),
    );
  });
  server.listen(0, node.address);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'connections-exporter',
      namespace,
      labels: { app: 'connections-exporter' },
      annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': String(port) },
    },
    spec: {
      hostNetwork: true,
      terminationGracePeriodSeconds: 0,
      // It only stands for the address; its own server takes any free port.
      containers: [
        sampleContainer('v1', { env: [{ name: 'PORT', value: '0' }], ports: [], readinessProbe: undefined }),
      ],
    },
  });
  return {
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
