import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { merge } from '../../src/catalog/merge.ts';
import type { Endpoints } from '../sandbox/endpoints.ts';
import { repositoryDir } from '../sandbox/paths.ts';

/** Releases of it wait once: for a promotion, when the new color is proved. */
export const SYSTEM = 'bench';
/** Releases of it wait for an approval, before they change anything. */
export const PARKED_SYSTEM = 'bench-parked';
export const SERVICE = 'shop';
/** Who asks and who decides; both are people of the sandbox's system. */
export const REQUESTER = 'kim';
export const APPROVER = 'ana';
export const PROMOTION = 'promotion';

const gate = (name: string) => ({
  name,
  asks: 'Shall it go on?',
  roles: ['engineering-lead'],
  expiresAfter: '24h',
});

/** Every step of a release stays, its waits are as short as they may be; metrics and Jobs are measured elsewhere. */
const RELEASE = {
  preDeployment: null,
  postDeployment: null,
  drain: '1s',
  soak: { duration: '1s', interval: '1s', warmUp: '0s' },
  recheckEvery: '24h',
};

/** It looks, and needs no lease: environments in one namespace have one Service, which has one holder. */
const REMEDY = {
  description: 'What the shop is',
  steps: [{ action: 'describeWorkload', with: { name: SERVICE } }],
};

export interface BenchCatalog {
  /** Environments of `SYSTEM`; each is a namespace of its own, unless all of them are in this one. */
  environments: string[];
  namespace?: string;
  /** An alert whose incident has a remedy: a runbook with one action, which asks the cluster. */
  alert?: string;
  /** Environments of `PARKED_SYSTEM`; all in one namespace, because a procedure that waits changes nothing in it. */
  parked?: { environments: string[]; namespace: string };
  /** A database of the sandbox's catalog that these environments have too, and its name on the sandbox's server. */
  database?: { name: string; as: string };
  /** How long the old color stays. */
  retireAfter: string;
}

/**
 * Writes the sandbox's system for a bench.
 * @returns the folder, for WINDLASS_SYSTEMS; whoever asked for it removes it
 */
export function writeCatalog({ kubernetes, prometheus, postgres }: Endpoints, wanted: BenchCatalog): string {
  const folder = mkdtempSync(join(tmpdir(), 'windlass-bench-'));
  const sandbox = parse(readFileSync(join(repositoryDir, 'systems/sandbox.yaml'), 'utf8')) as {
    databases: Record<string, { servers: Record<string, object> }>;
  };
  const environment = (namespace: string) => ({
    cluster: { context: kubernetes.context },
    namespace,
    prometheus: prometheus.url,
    production: false,
  });
  // Its database has a server in `local` only.
  const databaseOf = (environments: Record<string, object>): object | null => {
    if (!wanted.database) return null;
    const { host, port } = postgres;
    const server = { ...sandbox.databases[wanted.database.name]!.servers['local'], host, port, database: wanted.database.as }; // prettier-ignore
    const servers = Object.fromEntries(Object.keys(environments).map((name) => [name, server]));
    return { [wanted.database.name]: { servers: { local: null, ...servers }, dependants: [] } };
  };
  const write = (system: string, environments: Record<string, object>, gates: object): void => {
    const changes = {
      system,
      environments: { local: null, ...environments },
      databases: databaseOf(environments),
      windows: null,
      errorBudgets: null,
      services: { [SERVICE]: { release: { ...RELEASE, retireAfter: wanted.retireAfter }, metrics: [], sla: [] } },
      ...(wanted.alert ? { incidents: { alerts: [{ alert: wanted.alert, runbook: 'remedy' }], quietFor: '1s' } } : {}),
      // One of them tends the database, which most benches lack.
      runbooks: { ...(wanted.database ? {} : { 'tidy-database': null }), ...(wanted.alert ? { remedy: REMEDY } : {}) },
      policies: { deployRelease: { gates: [], ...gates, notify: [] }, rollBackRelease: { notify: [] } },
    };
    writeFileSync(join(folder, `${system}.yaml`), stringify(merge(sandbox, changes)));
  };
  const { environments, namespace, parked } = wanted;
  write(SYSTEM, Object.fromEntries(environments.map((name) => [name, environment(namespace ?? name)])), {
    promotion: [gate(PROMOTION)],
  });
  if (parked)
    write(PARKED_SYSTEM, Object.fromEntries(parked.environments.map((name) => [name, environment(parked.namespace)])), {
      gates: [gate('approval')],
    });
  return folder;
}
