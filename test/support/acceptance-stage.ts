import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { Load } from '../../scripts/load/load-generator.ts';
import { startLoadProcess } from '../../scripts/load/load-process.ts';
import type { LoadReport } from '../../scripts/load/load-report.ts';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { deployRelease } from '../../src/contracts/deploy-release.ts';
import { appManifests, imageOf, type AppOptions } from './acceptance-app.ts';
import { SERVICE, serviceNameOf, SYSTEM } from './acceptance-catalog.ts';
import { openNamespace, type Live, type Namespace } from './acceptance-cluster.ts';
import { follow, type RunningProcedure } from './acceptance-procedure.ts';
import type { Acceptance } from './acceptance.ts';
import { auditPosition, readAudit, type AuditEntry } from './crash/audit.ts';

export type StageOptions = Partial<AppOptions>;

/** A namespace in which one story plays, seen from outside the product. */
export interface Stage {
  environment: string;
  /** Of the application's Service. */
  url: string;
  namespace: Namespace;
  /** First words of a command on this stage's service: `agent-system <environment> <service>`. */
  place: string[];
  /** Starts a release by the CLI, as kim, who decides nothing. */
  deploy(version: string, ...flags: string[]): Promise<RunningProcedure>;
  /** The same with every gate approved. */
  deployApproved(version: string): Promise<RunningProcedure>;
  /** A release from request to its good end. */
  release(version: string): Promise<Record<string, any>>; // eslint-disable-line @typescript-eslint/no-explicit-any
  /** Starts a rollback by the CLI. */
  rollback(...flags: string[]): Promise<RunningProcedure>;
  /** Starts a workflow as the Temporal UI does: any input, any id. */
  start(procedure: string, input: unknown, workflowId?: string): Promise<RunningProcedure>;
  /** A complete input of `deployRelease` for this stage. */
  input(version?: string): Record<string, unknown>;
  get(id: string, runId?: string): RunningProcedure;
  /** Sends traffic until `stop`; stopped with the stage at the latest. */
  load(requestsPerSecond?: number): Promise<Load>;
  /** Version that answers a single new request. */
  served(): Promise<string>;
  service(): Promise<Live>;
  deployments(): Promise<Record<string, { image: string; ready: number }>>;
  /** What the worker asked to change since the stage was opened, by the API server's audit log. */
  changes(): Promise<AuditEntry[]>;
  /** Patches of the application's Service that moved its selector, in order, by what it selected afterwards. */
  switches(): Promise<{ at: number; selector: Record<string, string> }[]>;
  /** For a test that failed: where its procedures were. */
  describe(): Promise<string>;
  close(): Promise<void>;
}

export async function openStage(acceptance: Acceptance, environment: string, options: StageOptions): Promise<Stage> {
  const { service = SERVICE } = options;
  const endpoints = readEndpoints();
  const { auditLog } = endpoints.kubernetes;
  if (!auditLog) throw new Error('expected a cluster with an audit log: changes are read from it');
  const namespace = openNamespace(environment);
  await namespace.create(...appManifests(environment, { ...options, service }));
  const url = await untilServing(namespace, serviceNameOf(service), endpoints.prometheus.url);
  const from = auditPosition(auditLog);
  const place = [SYSTEM, environment, service];
  const started: RunningProcedure[] = [];
  const loads: Load[] = [];

  const get = (id: string, runId?: string): RunningProcedure => {
    const procedure = follow(acceptance.client.workflow.getHandle(id, runId));
    started.push(procedure);
    return procedure;
  };
  const byCli = async (...args: string[]): Promise<RunningProcedure> => {
    const { code, json } = await acceptance.cli('kim', ...args);
    if (code !== 0) throw new Error(`windlass ${args.join(' ')} ended with ${code}: ${JSON.stringify(json)}`);
    return get(json['id'] as string, json['runId'] as string);
  };

  const stage: Stage = {
    environment,
    url,
    namespace,
    place,
    get,
    deploy: (version, ...flags) => byCli('deploy', ...place, imageOf(version), ...flags),
    async deployApproved(version) {
      const procedure = await stage.deploy(version);
      await procedure.approveAll();
      return procedure;
    },
    async release(version) {
      const procedure = await stage.deployApproved(version);
      const ending = await procedure.ending();
      if (!ending.ok) throw new Error(`the release of ${version} failed: ${ending.type}: ${ending.message}`);
      return ending.result;
    },
    rollback: (...flags) => byCli('rollback', ...place, ...flags, '--reason', 'acceptance test'),
    async start(procedure, input, workflowId = `typed-by-hand-${randomUUID()}`) {
      const { taskQueue, client } = acceptance;
      const handle = await client.workflow.start(procedure, { workflowId, taskQueue, args: [input] });
      return get(workflowId, handle.firstExecutionRunId);
    },
    input: (version = 'v2') => ({
      ...deployRelease.example,
      system: SYSTEM,
      environment,
      service,
      image: imageOf(version),
      requestedBy: 'kim',
    }),
    async load(requestsPerSecond = 40) {
      const load = await startLoadProcess({ url, requestsPerSecond, connections: 8 });
      let report: Promise<LoadReport> | undefined;
      const once: Load = { ...load, stop: () => (report ??= load.stop()) };
      loads.push(once);
      return once;
    },
    async served() {
      return askOnce(url);
    },
    async service() {
      return (await namespace.find('Service', serviceNameOf(service)))!;
    },
    async deployments() {
      const all = await namespace.list('Deployment');
      return Object.fromEntries(
        all.map(({ metadata, spec, status }) => [
          metadata!.name!,
          { image: spec!['template'].spec.containers[0].image, ready: status?.['readyReplicas'] ?? 0 },
        ]),
      );
    },
    changes: () => readAudit(auditLog, from, environment),
    async switches() {
      const entries = await stage.changes();
      return entries.flatMap(({ verb, objectRef, responseStatus, requestObject, requestReceivedTimestamp }) => {
        const patched = verb === 'patch' && objectRef.resource === 'services' && responseStatus.code === 200;
        if (!patched || objectRef.name !== serviceNameOf(service)) return [];
        const moved = (requestObject as { op: string; path: string; value: Record<string, string> }[]).find(
          ({ op, path }) => op === 'replace' && path === '/spec/selector',
        );
        return moved ? [{ at: Date.parse(requestReceivedTimestamp), selector: moved.value }] : [];
      });
    },
    async describe() {
      const views = await Promise.all(
        started.map(async ({ id, progress }) => {
          const view = await progress().catch((error: Error) => `no answer: ${error.message}`);
          if (typeof view === 'string') return `${id}: ${view}`;
          return `${id}: ${view.phase}\n${view.timeline.map(({ at, text }) => `  ${at} ${text}`).join('\n')}`;
        }),
      );
      return `\n\nProcedures on ${environment}:\n${views.join('\n')}`;
    },
    async close() {
      await Promise.all(loads.map((load) => load.stop().catch(() => undefined)));
      const query = `OpsEnvironment = "${environment}" AND ExecutionStatus = "Running"`;
      for await (const { workflowId, runId } of acceptance.client.workflow.list({ query }))
        await acceptance.client.workflow
          .getHandle(workflowId, runId)
          .terminate('the story is over')
          .catch(() => undefined);
      await namespace.remove();
    },
  };
  return stage;
}

/** The version in an answer on a connection of its own: a kept one would stay on its pod whatever the Service selects. */
async function askOnce(url: string): Promise<string> {
  const request = http.get(url, { agent: false, timeout: 2000 });
  request.on('timeout', () => request.destroy(new Error(`no answer from ${url}`)));
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  return String(response.headers['x-app-version']);
}

/** Waits until the application answers and Prometheus does not hold its start against it; returns its address. */
async function untilServing(namespace: Namespace, service: string, prometheus: string): Promise<string> {
  const url = await waitFor(
    `the application of ${namespace.name}`,
    async () => {
      const deployments = await namespace.list('Deployment');
      const all = deployments.every(({ spec, status }) => status?.['readyReplicas'] === spec?.['replicas']);
      const address = (await namespace.find('Service', service))?.spec?.['clusterIP'] as string | undefined;
      if (!all || !address) return false;
      await askOnce(`http://${address}/`);
      return `http://${address}/`;
    },
    { timeoutSeconds: 90 },
  );
  // A pod may have been scraped in vain before it listened; one that was not scraped yet is fine.
  const query = encodeURIComponent(`min(up{namespace="${namespace.name}"})`);
  await waitFor(
    'Prometheus',
    async () => {
      const answer = await fetch(`${prometheus}/api/v1/query?query=${query}`);
      const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
      return data.result.every(({ value }) => value[1] === '1');
    },
    { timeoutSeconds: 30 },
  );
  return url;
}
