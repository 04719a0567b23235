import { Client, Connection } from '@temporalio/client';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { endMatching } from '../../scripts/end-matching.ts';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { cliOf, ensureCli, type CliAnswer } from './acceptance-cli.ts';
import { follow, type RunningProcedure } from './acceptance-procedure.ts';
import { rolledOut, type App } from './agent.ts';
import { readShipped } from './incident-stage.ts';
import { adminCluster, apply, createTestNamespace, sampleContainer, type TestNamespace } from './namespace.ts';
import { startWorker, type Overlay, type WorkerProcess } from './worker.ts';

export interface WindowStageOptions {
  /** The system whose shipped file is used. */
  system: string;
  /** The only environment that it has here; also the task queue, and part of every name that the stage makes. */
  environment: string;
  /** @default true */
  production?: boolean;
  /** Who starts windows. */
  as: string;
  /** Where traffic goes: the label `app` of the pods that serve it, which is its Service's name too. */
  service: string;
  /** Deploys what the windows work on, before there is a worker. */
  prepare: (namespace: TestNamespace) => Promise<void>;
  /** What else differs from the file; it is asked once everything has been prepared. */
  overlay: (namespace: TestNamespace) => Record<string, unknown>;
  /** More of the worker's environment: what the references of the file resolve to. */
  env?: Record<string, string | undefined>;
}

/** A shipped system with windows on the sandbox: a worker, an environment and a namespace of its own. */
export interface WindowStage {
  client: Client;
  namespace: TestNamespace;
  /** The shipped CLI. */
  cli(...args: string[]): Promise<CliAnswer>;
  /** Starts a window now, by the CLI. */
  open(window: string): Promise<RunningProcedure>;
  /** Creates or changes the Schedules of its windows, by the CLI; more of an overlay may come on top. */
  applySchedules(more?: Record<string, unknown>): Promise<CliAnswer>;
  /** The Schedule of a window, as the server has it. */
  scheduleOf(window: string): ReturnType<Client['schedule']['getHandle']>;
  /** Deployments whose pods get the traffic, by the endpoints of the Service. */
  reached(): Promise<string[]>;
  untilReached(deployment: string): Promise<void>;
  /** UIDs of the pods of the service that are to stay. */
  pods(): Promise<string>;
  close(): Promise<void>;
}

export async function openWindowStage(options: WindowStageOptions): Promise<WindowStage> {
  const { system, environment, production = true, as, service, prepare, overlay, env = {} } = options;
  const { temporal, kubernetes, prometheus } = readEndpoints();
  await ensureCli();
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, namespace: temporal.namespace });
  const systems = mkdtempSync(join(tmpdir(), 'windlass-systems-'));
  const namespace = await createTestNamespace();
  let worker: WorkerProcess | undefined;

  const close = async (): Promise<void> => {
    for await (const { scheduleId } of client.schedule.list())
      if (scheduleId.includes(environment)) await client.schedule.getHandle(scheduleId).delete();
    await endMatching(client, `TaskQueue = "${environment}" AND ExecutionStatus = "Running"`, 'the test is over');
    await worker?.stop();
    await connection.close();
    await namespace.remove();
    rmSync(systems, { recursive: true });
  };
  const own = (): Overlay => ({
    overlayOf: system,
    environments: {
      ...Object.fromEntries(Object.keys(readShipped(system)['environments'] as object).map((name) => [name, null])),
      [environment]: {
        ...{ cluster: { context: kubernetes.context }, namespace: namespace.name, prometheus: prometheus.url },
        production,
      },
    },
    errorBudgets: null,
    ...overlay(namespace),
  });
  try {
    await prepare(namespace);
    copyFileSync(join(import.meta.dirname, `../../systems/${system}.yaml`), join(systems, `${system}.yaml`));
    worker = await startWorker({ taskQueue: environment, systems, overlays: [own()], env });
  } catch (error) {
    await close();
    throw error;
  }

  const stage: WindowStage = {
    ...{ client, namespace, close },
    cli: (...args) => cliOf(environment)(as, ...args),
    async open(window) {
      const { code, json } = await stage.cli('window', 'start', system, environment, window, '--now');
      if (code !== 0) throw new Error(`the window did not start: ${JSON.stringify(json)}`);
      return follow(client.workflow.getHandle(json['id'] as string, json['runId'] as string));
    },
    async applySchedules(more = {}) {
      // Not a name that a catalog takes for a system.
      const file = join(systems, 'overlay.yml.test');
      writeFileSync(file, stringify({ ...own(), ...more }));
      return stage.cli('schedules', 'apply', '--catalog', systems, '--overlay', file);
    },
    scheduleOf: (window) => client.schedule.getHandle(`window/${system}/${environment}/${window}`),
    async reached() {
      const slices = await adminCluster().list('EndpointSlice', namespace.name, {
        labelSelector: `kubernetes.io/service-name=${service}`,
      });
      const ready = slices.flatMap(({ endpoints = [] }) => endpoints.filter(({ conditions }) => conditions?.ready));
      const names = ready.map(({ targetRef }) => targetRef!.name!.replace(/-[a-z0-9]+-[a-z0-9]+$/, ''));
      return [...new Set(names)].sort();
    },
    async untilReached(deployment) {
      await waitFor(`traffic to ${deployment}`, async () => (await stage.reached()).join() === deployment, {
        timeoutSeconds: 120,
      });
    },
    async pods() {
      const all = await adminCluster().list('Pod', namespace.name, { labelSelector: `app=${service}` });
      return all.filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata }) => metadata.uid).join(); // prettier-ignore
    },
  };
  return stage;
}

export const PAGE: App = { deployment: 'maintenance-page', container: 'maintenance-page' };

/** What is shown meanwhile; it has no Service of its own. */
export async function deployPage(namespace: TestNamespace): Promise<void> {
  const labels = { app: PAGE.container };
  await apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: PAGE.deployment, namespace: namespace.name, labels },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [sampleContainer('v9')] } },
    },
  });
  await rolledOut(namespace, PAGE);
}
