import { randomBytes } from 'node:crypto';
import { readEndpoints } from '../../../scripts/sandbox/endpoints.ts';
import { readShipped } from '../incident-stage.ts';
import type { Place } from '../incident-stage.ts';

interface Shipped {
  incidents: { severities: { name: string }[]; facts: { query: string }[] };
}

/** The sandbox's Prometheus has one job for all pods: they are told apart by namespace and label `app`. */
export const onSandbox = (query: string, namespace: string): string =>
  query.replaceAll('job="leanvibe-api"', `namespace="${namespace}",app="leanvibe-api"`);

/**
 * The hive's own people and runbooks. Its messages go to the sandbox's receivers; its database is the given one.
 * @param times how long each severity leaves the chain; else as in the file
 */
export const agentHiveOnSandbox =
  ({ times, database = 'windlass' }: { times?: { respondWithin: string; escalateEvery: string }; database?: string }) =>
  ({ environment, namespace, receivers }: Place) => {
    const { severities, facts } = (readShipped('agent-hive') as unknown as Shipped).incidents;
    const { host, port, user } = readEndpoints().postgres;
    const server = { host, port, user, password: 'env:WINDLASS_SANDBOX_POSTGRES_PASSWORD', tls: 'disable' };
    return {
      databases: { leanvibe: { name: database, servers: { production: null, [environment]: server } } },
      runbooks: { 'api-is-well': { parameters: { port: { default: 80 } } } },
      channels: {
        pagerduty: { url: `${receivers}/pagerduty/${environment}` },
        stakeholders: { to: [`${environment}@example.com`] },
      },
      incidents: {
        quietFor: '3s',
        facts: facts.map((fact) => ({ ...fact, query: onSandbox(fact.query, namespace) })),
        ...(times ? { severities: severities.map((severity) => ({ ...severity, ...times })) } : {}),
      },
    };
  };

/** What the references of its file resolve to. */
export const agentHiveSecrets = ({ smtp }: Place): Record<string, string> => ({
  AGENT_HIVE_PAGERDUTY_KEY: randomBytes(16).toString('hex'),
  AGENT_HIVE_SMTP: smtp,
});
