import { Client, Connection } from '@temporalio/client';
import { randomBytes } from 'node:crypto';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { ensureCli, runCli, type CliAnswer } from './acceptance-cli.ts';
import { storyCatalog } from './acceptance-catalog.ts';
import { openNamespace } from './acceptance-cluster.ts';
import { valueOf } from './prometheus-value.ts';
import { readObject } from './stored-object.ts';
import { openStage, type Stage, type StageOptions } from './acceptance-stage.ts';
import { startWorker, type Overlay } from './worker.ts';

export interface AcceptanceOptions {
  /** Short name of the subject; part of every name that it makes. */
  subject: string;
  /** How many stages its tests open. */
  stages: number;
  /** Variants of the service: name → what differs. */
  variants?: Record<string, Record<string, unknown>>;
  /** What else differs from the shipped catalog, also by the names of the stages' environments. */
  catalog?: Record<string, unknown> | ((environments: string[]) => Record<string, unknown>);
  /** More of the worker's environment, or other. */
  env?: NodeJS.ProcessEnv;
}

/** What the tests of one subject share: the real worker with its least permissions, and clients of everything else. */
export interface Acceptance {
  client: Client;
  taskQueue: string;
  /** Of its workers on the shipped catalog; for another worker beside them. */
  overlay: Overlay;
  /** The shipped CLI, as that person. */
  cli(as: string, ...args: string[]): Promise<CliAnswer>;
  /** Tells one story on a stage of its own: a namespace with the application at v1, cleared away afterwards. */
  stage(options: StageOptions, story: (stage: Stage) => Promise<void>): Promise<void>;
  /** Texts of the notices that people got, oldest first. */
  notices(): Promise<string[]>;
  /** What is kept under an address such as `s3://bucket/key`. */
  evidence(uri: string): Promise<string>;
  /** Value of an instant query that gives one. */
  prometheus(query: string): Promise<number>;
  close(): Promise<void>;
}

/** Starts the worker on a task queue of its own, with the agent system's own catalog on the sandbox. */
export async function openAcceptance(options: AcceptanceOptions): Promise<Acceptance> {
  const { subject, stages, variants = {}, catalog = {}, env = {} } = options;
  const endpoints = readEndpoints();
  const taskQueue = `acc-${subject}-${randomBytes(3).toString('hex')}`;
  const environments = Array.from({ length: stages }, (_, index) => `${taskQueue}-${index + 1}`);
  const free = [...environments];
  const channel = `/slack/${taskQueue}`;
  const connection = await Connection.connect({ address: endpoints.temporal.address });
  const client = new Client({ connection, namespace: endpoints.temporal.namespace });
  await ensureCli();
  const overlay = storyCatalog(environments, variants, typeof catalog === 'function' ? catalog(environments) : catalog);
  const worker = await startWorker({
    taskQueue,
    overlays: [overlay],
    env: { WINDLASS_SLACK_URL: `${endpoints.receivers.url}${channel}`, ...env },
  });

  const acceptance: Acceptance = {
    client,
    taskQueue,
    overlay,
    cli: (as, ...args) =>
      runCli([...args, '--as', as], {
        TEMPORAL_ADDRESS: endpoints.temporal.address,
        TEMPORAL_NAMESPACE: endpoints.temporal.namespace,
        WINDLASS_TASK_QUEUE: taskQueue,
      }),
    async stage(stageOptions, story) {
      const environment = free.shift();
      if (!environment) throw new Error(`expected at most ${stages} stages in ${subject}`);
      const stage = await openStage(acceptance, environment, stageOptions);
      try {
        await story(stage);
      } catch (error) {
        if (error instanceof Error) error.message += await stage.describe();
        throw error;
      } finally {
        await stage.close();
      }
    },
    async notices() {
      const response = await fetch(`${endpoints.receivers.url}/requests?path=${encodeURIComponent(channel)}`);
      const requests = (await response.json()) as { outcome: string; body: { text?: string } }[];
      return requests.flatMap(({ outcome, body }) => (outcome === 'refused' ? [] : (body.text ?? [])));
    },
    evidence: readObject,
    prometheus: valueOf,
    async close() {
      const query = `TaskQueue = "${taskQueue}" AND ExecutionStatus = "Running"`;
      for await (const { workflowId, runId } of client.workflow.list({ query }))
        await client.workflow
          .getHandle(workflowId, runId)
          .terminate('the test is over')
          .catch(() => undefined);
      await worker.stop();
      // Also those whose story never began.
      await Promise.all(environments.map((name) => openNamespace(name).remove()));
      await connection.close();
    },
  };
  return acceptance;
}
