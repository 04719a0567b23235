import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import type { Endpoints } from '../../../scripts/sandbox/endpoints.ts';
import { databaseOf } from './calls.ts';

const SANDBOX = fileURLToPath(new URL('../../../systems/sandbox.yaml', import.meta.url));

export const SERVICE = 'shop';
/** The database of every environment, and the Deployment that uses it; none of the service's traffic needs it. */
export const DATABASE = 'shop';
export const DEPENDANT = 'reports';
/** A window of every environment, and the Deployment that serves meanwhile. */
export const WINDOW = 'upkeep';
export const PAGE = 'maintenance-page';
/** The sandbox's system, and the same one with a metric that every release misses. */
export const SYSTEM = 'sandbox';
export const UNWELL_SYSTEM = 'sandbox-unwell';

/** Short enough for a run in seconds; every step stays. */
const RELEASE = {
  rolloutTimeout: '60s',
  drain: '1s',
  soak: { duration: '2s', interval: '1s', warmUp: '1s' },
};

/** An incident of this alert is diagnosed, remedied, and over when the criterion holds. */
export const ALERT = 'ShopIsSlow';
const REMEDIED = {
  ...{ alert: ALERT, service: SERVICE },
  ...{ diagnose: 'look-around', runbook: 'restart-shop', resolved: 'shop-answers' },
};

/** Its backups would be those of the line of backups. */
const windowOf = (environments: string[]): object => ({
  description: 'More replicas behind the page',
  environments,
  service: SERVICE,
  zone: 'UTC',
  opens: { weekday: 'sunday', at: '02:00' },
  duration: '2h',
  mode: {
    on: { action: 'showMaintenancePage', with: { service: SERVICE, page: PAGE } },
    off: { action: 'hideMaintenancePage', with: { service: SERVICE } },
  },
  before: [{ runbook: 'shop-answers' }],
  tasks: [{ runbook: 'scale-out', with: { replicas: 2 } }],
  after: [{ runbook: 'shop-answers' }],
  notify: ['slack'],
});

/** It is used up whatever is measured: the first look freezes and tells. */
const spentBudget = {
  notify: ['slack'],
  recovery: { plan: 'crash matrix' },
  slos: {
    availability: {
      objective: 99,
      errorRatio: 'vector(1) + 0 * count_over_time(vector(1)[$window:])',
      yellow: { below: 50, returnsAt: 60 },
      red: { below: 10, returnsAt: 20 },
    },
  },
};

interface SystemFile {
  system: string;
  services: Record<string, { release: object }>;
  windows: object;
  errorBudgets: Record<string, object>;
  incidents: { alerts: object[] };
  databases: Record<string, { servers: Record<string, object> }>;
  policies: Record<string, { gates: object[] }>;
}

export interface CatalogOptions {
  /** Whether a release waits for its approval. */
  gates?: boolean;
  /** Where it is written; default: a new folder. */
  folder?: string;
}

/**
 * Writes the sandbox's own system with environments, each a namespace and a change control.
 * Metrics judge traffic, not effects, and would make a run as long as their window: a service here has none, or one
 * that fails at once.
 * @returns the folder, for WINDLASS_SYSTEMS; whoever asked for it removes it
 */
export function writeCatalog(
  endpoints: Endpoints,
  environments: string[],
  { gates = false, folder = mkdtempSync(join(tmpdir(), 'windlass-systems-')) }: CatalogOptions = {},
): string {
  const { kubernetes, prometheus, postgres } = endpoints;
  const missed = { name: 'always-missed', query: 'vector(1)', max: 0, failureLimit: 1 };
  for (const [system, metrics] of [
    [SYSTEM, []],
    [UNWELL_SYSTEM, [missed]],
  ] as const) {
    const file = parse(readFileSync(SANDBOX, 'utf8')) as SystemFile;
    const shop = file.services[SERVICE]!;
    const environment = (namespace: string) => ({
      cluster: { context: kubernetes.context },
      namespace,
      prometheus: prometheus.url,
      production: false,
    });
    file.system = system;
    file.incidents.alerts = [REMEDIED];
    file.errorBudgets = Object.fromEntries(environments.map((name) => [name, spentBudget]));
    file.windows = { [WINDOW]: windowOf(environments) };
    file.services = {
      [SERVICE]: { ...shop, release: { ...shop.release, ...RELEASE }, metrics, sla: [] } as typeof shop,
    };
    const database = file.databases[DATABASE]!;
    const { host, port } = postgres;
    const server = (environment: string) => ({
      ...database.servers['local'],
      ...{ host, port, database: databaseOf(environment) },
    });
    file.databases[DATABASE] = {
      ...database,
      dependants: [{ kind: 'Deployment', name: DEPENDANT }],
      servers: Object.fromEntries(environments.map((name) => [name, server(name)])),
    } as typeof database;
    if (!gates) file.policies['deployRelease']!.gates = [];
    const all = Object.fromEntries(environments.map((name) => [name, environment(name)]));
    writeFileSync(join(folder, `${system}.yaml`), stringify({ ...file, environments: all }));
  }
  return folder;
}
