import { Client, Connection } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundle,
} from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { untilRecorded } from '../../src/adapters/temporal/messages.ts';

// A worker that starts where another one died is asked by a query before it has had a workflow task: it goes on with what has
// happened meanwhile, and shows a gate that no history has. Who decides it at once decides it in the task that opens it.
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const queue = `unrecorded-${Date.now().toString(36)}`;
const elsewhere = `${queue}-activities`;
const { address, namespace } = readEndpoints().temporal;
let folder: string;
let bundle: WorkflowBundle;
let client: Client;
let activities: Worker;
let running: Promise<void>;
const processes: ChildProcess[] = [];
/** Activities that look: when each has begun, and what ends it. */
let begun: (() => void) | undefined;
let end: (() => void) | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'windlass-unrecorded-'));
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger });
  bundle = await bundleWorkflowCode({ workflowsPath: here('../support/workflows/unrecorded.ts'), logger });
  writeFileSync(join(folder, 'bundle.js'), bundle.code);
  client = new Client({ connection: await Connection.connect({ address }), namespace });
  activities = await Worker.create({
    connection: await NativeConnection.connect({ address }),
    taskQueue: elsewhere,
    activities: {
      look: () =>
        new Promise<void>((resolve) => {
          end = resolve;
          begun?.();
        }),
      act: async () => undefined,
    },
  });
  running = activities.run();
}, 60_000);

afterAll(async () => {
  for (const each of processes) each.kill('SIGKILL');
  activities.shutdown();
  await running;
  await client.connection.close();
  rmSync(folder, { recursive: true });
});

async function startWorker(): Promise<ChildProcess> {
  const args = [here('../support/unrecorded-worker.ts'), address, queue, join(folder, 'bundle.js')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  processes.push(child);
  await once(child.stdout, 'data');
  return child;
}

test('what is decided upon a state that is not recorded yet waits until it is, and the history can be replayed', async () => {
  const first = await startWorker();
  const looking = new Promise<void>((resolve) => (begun = resolve));
  const workflowId = `${queue}/gate`;
  const handle = await client.workflow.start('opensAGate', { workflowId, taskQueue: queue, args: [elsewhere] });
  await looking;
  first.kill('SIGKILL');
  // It is sent to the dead one, and to any after the time that a task waits for it.
  const asked = client.withDeadline(Date.now() + 60_000, () => handle.query<boolean>('open'));
  await sleep(3000);
  end!();
  await startWorker();
  expect(await asked).toBe(true);
  // It is not recorded: that is what makes it dangerous.
  expect((await handle.describe()).raw.pendingWorkflowTask).toBeTruthy();
  await untilRecorded(client, { workflowId });
  await handle.signal('approve');
  expect(await handle.result()).toBe(true);
  await Worker.runReplayHistory({ workflowBundle: bundle }, await handle.fetchHistory(), workflowId);
}, 120_000);
