import { defineSearchAttributeKey, type SearchAttributeType } from '@temporalio/common';
import { Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resolveBinaries } from '../../scripts/sandbox/binaries/index.ts';
import { cacheDir } from '../../scripts/sandbox/paths.ts';
import { encryptionOf } from '../../src/adapters/temporal/data-converter.ts';
import { TAKEOVER_MS } from '../../src/adapters/temporal/messages.ts';
import { FAILURE_CONVERTER } from '../../worker/workflow-code.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const SEARCH_ATTRIBUTES: Record<string, SearchAttributeType> = {
  OpsSystem: 'KEYWORD',
  OpsEnvironment: 'KEYWORD',
  OpsProcedure: 'KEYWORD',
  OpsPhase: 'KEYWORD',
  OpsSeverity: 'KEYWORD',
  OpsAwaiting: 'KEYWORD_LIST',
};

/** temporal.api.enums.v1.IndexedValueType */
const INDEXED_KEYWORD = 2;
const INDEXED_KEYWORD_LIST = 7;

export interface TestTemporalOptions {
  /** Made with the client of the server under test. */
  activities?: (given: { temporal: Client; taskQueue: string }) => object;
  /** File that exports the workflows, relative to the repository; default: all of the product. */
  workflows?: string;
  /** Started instead of the binary of the development server, with its arguments; gets the path of the binary. */
  server?: (binary: string) => string;
  /** Environment with the keys for payloads, of the client and of the first worker; default: nothing is encrypted. */
  keys?: KeysEnvironment;
}

/** `WINDLASS_PAYLOAD_KEYS` and what it refers to. */
export type KeysEnvironment = Record<string, string>;

export interface TestTemporal {
  env: TestWorkflowEnvironment;
  client: Client;
  taskQueue: string;
  /** Ends the worker as a crash would, without finishing what runs, and starts another one, with other keys if given. */
  restartWorker(keys?: KeysEnvironment): Promise<void>;
  stop(): Promise<void>;
}

/** A server that skips time while everything waits, with a worker. It has no Schedules. */
export async function startTimeSkipping(options: TestTemporalOptions): Promise<TestTemporal> {
  const path = await binary('temporal-test-server');
  return start(options, async () => {
    const env = await TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'existing-path', path } },
    });
    const searchAttributes = Object.fromEntries(
      Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [
        name,
        type === 'KEYWORD_LIST' ? INDEXED_KEYWORD_LIST : INDEXED_KEYWORD,
      ]),
    );
    await env.connection.operatorService.addSearchAttributes({
      namespace: env.namespace ?? 'default',
      searchAttributes,
    });
    return env;
  });
}

/** A development server in memory, in real time, with the search attributes registered and a worker. */
export async function startLocalServer(options: TestTemporalOptions): Promise<TestTemporal> {
  const own = await binary('temporal');
  const path = options.server?.(own) ?? own;
  const searchAttributes = Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) =>
    defineSearchAttributeKey(name, type),
  );
  return start(options, () =>
    TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'existing-path', path }, searchAttributes } }),
  );
}

/** Runs a test on a server of its own that skips time. */
export const withTimeSkipping = <T>(options: TestTemporalOptions, test: (temporal: TestTemporal) => Promise<T>) =>
  using(startTimeSkipping(options), test);

/** Runs a test on a development server of its own. */
export const withLocalServer = <T>(options: TestTemporalOptions, test: (temporal: TestTemporal) => Promise<T>) =>
  using(startLocalServer(options), test);

async function using<T>(starting: Promise<TestTemporal>, test: (temporal: TestTemporal) => Promise<T>): Promise<T> {
  const temporal = await starting;
  try {
    return await test(temporal);
  } finally {
    await temporal.stop();
  }
}

async function start(
  options: TestTemporalOptions,
  create: () => Promise<TestWorkflowEnvironment>,
): Promise<TestTemporal> {
  quiet();
  const keys = options.keys ?? {};
  const env = await create();
  // That of a server which skips time lets it pass while somebody waits for a result.
  const client = options.keys
    ? new Client({ connection: env.connection, namespace: env.namespace, ...(await encryptionOf(keys)) })
    : env.client;
  const taskQueue = `test-${randomUUID()}`;
  const activities = options.activities?.({ temporal: client, taskQueue }) ?? {};
  let running = await startWorker(keys);
  return {
    env,
    client,
    taskQueue,
    async restartWorker(other = keys) {
      await running.stop();
      running = await startWorker(other);
    },
    async stop() {
      await running.stop();
      await env.teardown();
    },
  };

  async function startWorker(withKeys: KeysEnvironment): Promise<{ stop(): Promise<void> }> {
    const { dataConverter } = await encryptionOf(withKeys);
    const failureConverter = /^(?!plain)./.test(withKeys['WINDLASS_PAYLOAD_KEYS'] ?? '')
      ? { failureConverterPath: FAILURE_CONVERTER }
      : {};
    const workflows = options.workflows ?? 'workflows/index.ts';
    const worker = await Worker.create({
      connection: env.nativeConnection,
      namespace: env.namespace,
      taskQueue,
      workflowBundle: { codePath: await bundle(workflows, failureConverter) },
      dataConverter: { ...dataConverter, ...failureConverter },
      activities,
      maxConcurrentActivityTaskExecutions: 500,
      stickyQueueScheduleToStartTimeout: TAKEOVER_MS,
      // Long polls of watchers do not end by themselves.
      shutdownGraceTime: 0,
      shutdownForceTime: '5 s',
    });
    const running = worker.run();
    return {
      async stop() {
        worker.shutdown();
        await running;
      },
    };
  }
}

const binary = async <N extends 'temporal' | 'temporal-test-server'>(name: N): Promise<string> =>
  (await resolveBinaries([name]))[name];

let isQuiet = false;

/** Failures that tests provoke are no news. Set TEST_LOG=INFO to see what workers do. */
function quiet(): void {
  if (isQuiet) return;
  isQuiet = true;
  const level = (process.env.TEST_LOG ?? 'ERROR') as 'ERROR';
  Runtime.install({ logger: new DefaultLogger(level), telemetryOptions: { logging: { filter: level, forward: {} } } });
}

/** Bundles the workflows, or finds the bundle that was made of the same sources. @returns the file */
async function bundle(workflows: string, options: { failureConverterPath?: string }): Promise<string> {
  const folder = join(cacheDir(), 'test-bundles');
  const file = join(folder, `${digestOfSources(JSON.stringify([workflows, options]))}.js`);
  if (existsSync(file)) return file;
  const { code } = await bundleWorkflowCode({
    ...options,
    workflowsPath: join(ROOT, workflows),
    logger: new DefaultLogger('ERROR'),
  });
  mkdirSync(folder, { recursive: true });
  // Test files run in several processes: each writes its own file, and the last rename wins.
  const own = `${file}.${process.pid}`;
  writeFileSync(own, code);
  renameSync(own, file);
  return file;
}

function digestOfSources(options: string): string {
  const hash = createHash('sha256').update(options);
  const folders = ['workflows', 'src/contracts', 'src/domain', 'src/expressions', 'test/support/workflows'];
  const files = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  for (const file of [...files.sort(), join(ROOT, 'package-lock.json')]) hash.update(file).update(readFileSync(file));
  return hash.digest('hex').slice(0, 32);
}
