import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { startLoad, type Load } from '../../scripts/load/load-generator.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { changeControlId, type ChangeControlState } from '../../src/contracts/change-control.ts';
import type { Contract } from '../../src/contracts/contract.ts';
import { deployRelease } from '../../src/contracts/deploy-release.ts';
import type { GateView } from '../../src/contracts/gates.ts';
import type { ProgressView } from '../../src/contracts/progress.ts';
import { rollBackRelease } from '../../src/contracts/roll-back-release.ts';
import { auditPosition, effectsOf, readAudit } from '../support/crash/audit.ts';
import { connectBench, type Bench } from '../support/crash/bench.ts';
import { giveOrders, markOf, strikesDone, type Orders } from '../support/crash/calls.ts';
import { SERVICE, writeCatalog } from '../support/crash/catalog.ts';
import { startLateNetwork } from '../support/crash/late-network.ts';
import { outcomeOf } from '../support/crash/outcome.ts';
import { adopted } from '../support/crash/setting.ts';
import { leaveStage, prepareStage } from '../support/crash/stage.ts';
import { describeObjects } from '../support/crash/state.ts';
import { crashFolder, superviseWorker, type StruckWorker, type StruckWorkerOptions } from '../support/crash/worker.ts';

const MINUTE = 60_000;
const ENDS_WITHIN_MS = 8 * MINUTE;
const name = `crash-t${Date.now().toString(36).slice(-5)}`;
const [terminated, orphaned, reset] = [`${name}-terminated`, `${name}-orphaned`, `${name}-reset`];
const SWITCH = { key: `switchTraffic PATCH services/${SERVICE}`, ordinal: 1 };

let bench: Bench;
const workers: StruckWorker[] = [];
const folders: string[] = [];

beforeAll(async () => {
  bench = await connectBench(name);
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
});
afterAll(async () => {
  for (const environment of [terminated, orphaned, reset]) await leaveStage(bench, environment);
  for (const folder of folders) rmSync(folder, { recursive: true });
  await bench.close();
});

async function startStruck(
  environment: string,
  options: Partial<StruckWorkerOptions> & { gates?: boolean } = {},
): Promise<StruckWorker> {
  const { gates = false, ...rest } = options;
  const systems = writeCatalog(bench.endpoints, [environment], { gates });
  folders.push(systems);
  const worker = await superviseWorker({ taskQueue: environment, systems, slackUrl: bench.slackUrl, ...rest });
  workers.push(worker);
  return worker;
}

const start = (procedure: Contract, taskQueue: string, input: Record<string, unknown>): Promise<WorkflowHandle> =>
  bench.client.workflow.start(procedure.procedure, {
    workflowId: procedure.workflowId(procedure.input.parse(input)),
    taskQueue,
    args: [input],
  });

const of = (environment: string) => ({ system: 'sandbox', environment, service: SERVICE, requestedBy: 'ana' });
const release = (environment: string, version: string) => ({
  ...of(environment),
  image: `docker.io/windlass/sample:${version}`,
});
const rollback = (environment: string) => ({
  ...of(environment),
  mode: 'emergency',
  reason: 'the release was terminated',
});

const changeControlOf = (environment: string): Promise<ChangeControlState> =>
  bench.client.workflow.getHandle(changeControlId({ system: 'sandbox', environment })).query('state');

const until = (what: string, probe: () => Promise<boolean>): Promise<unknown> =>
  waitFor(what, probe, { timeoutSeconds: 120 });

async function lossOf(load: Load): Promise<unknown[]> {
  return (await load.stop()).failures;
}

/** Which version the Service leads to now. */
async function servedVersion(address: string): Promise<string | null> {
  return (await fetch(address, { headers: { connection: 'close' } })).headers.get('x-app-version');
}

test(
  'a release terminated in the middle of its switch leaves a dirty lease, which only a rollback takes and cleans',
  async () => {
    const worker = await startStruck(terminated);
    const { address } = await prepareStage(bench, terminated, adopted);
    const load = startLoad({ url: address, requestsPerSecond: 20, connections: 2 });
    giveOrders(worker.folder, strikeAt(terminated, 'after', 'SIGKILL'));
    const handle = await start(deployRelease, worker.taskQueue, release(terminated, 'v2'));
    await until('the kill after the switch', async () => strikesDone(worker.folder) > 0);
    await handle.terminate('by hand, in the middle of the switch');
    await until('a dirty lease', async () => (await changeControlOf(terminated)).leases[0]?.dirty !== undefined);

    const refused = await start(deployRelease, worker.taskQueue, release(terminated, 'v10'));
    expect(await outcomeOf(refused)).toContain('LeaseUnavailable');
    expect(await servedVersion(address)).toBe('v2');

    const repaired = await start(rollBackRelease, worker.taskQueue, rollback(terminated));
    expect(await outcomeOf(repaired)).toContain('rolled-back');
    expect((await changeControlOf(terminated)).leases).toEqual([]);
    expect(await servedVersion(address)).toBe('v1');
    expect(await lossOf(load)).toEqual([]);
  },
  ENDS_WITHIN_MS,
);

test(
  'a request of a terminated release that arrives after a rollback took over is refused by the fence and changes nothing',
  async () => {
    const folder = crashFolder();
    const network = await startLateNetwork(bench.endpoints, markOf(folder));
    try {
      const worker = await startStruck(orphaned, { folder, kubeconfig: network.kubeconfig });
      const { address } = await prepareStage(bench, orphaned, adopted);
      const auditFrom = auditPosition(bench.auditLog);
      const load = startLoad({ url: address, requestsPerSecond: 20, connections: 2 });
      giveOrders(folder, strikeAt(orphaned, 'before', 'none'));
      const handle = await start(deployRelease, worker.taskQueue, release(orphaned, 'v2'));
      await until('a switch on its way', async () => network.holds());
      await handle.terminate('by hand, while its switch is on its way');

      const repaired = await start(rollBackRelease, worker.taskQueue, rollback(orphaned));
      expect(await outcomeOf(repaired)).toMatch(/rolled-back|already-there/);
      const before = await bench.cluster.list(orphaned);
      const audited = await readAudit(bench.auditLog, auditFrom, orphaned);
      network.deliver();

      const later = async () => (await readAudit(bench.auditLog, auditFrom, orphaned)).slice(audited.length);
      await until('the late request', async () => (await later()).length > 0);
      const late = await later();
      expect(late.map(({ verb, objectRef }) => `${verb} ${objectRef.name}`)).toEqual([`patch ${SERVICE}`]);
      expect(late[0]!.responseStatus.code).toBe(422);
      expect(effectsOf(late, orphaned)).toEqual([]);
      expect(describeObjects(await bench.cluster.list(orphaned), orphaned)).toEqual(describeObjects(before, orphaned));
      expect(await servedVersion(address)).toBe('v1');
      expect(await lossOf(load)).toEqual([]);
    } finally {
      await network.close();
    }
  },
  ENDS_WITHIN_MS,
);

test(
  'a release that is reset to before its approval asks again, and the old approval has no effect',
  async () => {
    const worker = await startStruck(reset, { gates: true });
    const { address } = await prepareStage(bench, reset, adopted);
    giveOrders(worker.folder, { environment: reset });
    const handle = await start(deployRelease, worker.taskQueue, release(reset, 'v2'));
    const first = await waitingGate(handle);
    // Held: the reset comes when the lease is taken and nothing is changed yet.
    await handle.signal('hold', { by: 'kim', reason: 'reset is coming' });
    await approve(handle, first);
    await until('the lease', async () => (await changeControlOf(reset)).leases[0]?.mode === 'hold');
    const { token } = (await changeControlOf(reset)).leases[0]!;

    const again = await resetBeforeDecision(handle);
    const second = await waitingGate(again);
    expect(second.code).not.toBe(first.code);
    await until('the old approval, applied again without effect', async () =>
      (await progressOf(again)).timeline.some(({ text }) => text.includes('without effect (wrong-code)')),
    );
    expect((await waitingGate(again)).approvals).toEqual([]);
    expect(await servedVersion(address)).toBe('v1');

    await approve(again, second);
    await until('the lease again', async () => ((await changeControlOf(reset)).leases[0]?.token ?? 0) > token!);
    await again.signal('resume', { by: 'kim' });
    expect(await outcomeOf(again)).toContain('released');
    expect(await servedVersion(address)).toBe('v2');
  },
  ENDS_WITHIN_MS,
);

const strikeAt = (environment: string, side: 'before' | 'after', signal: 'SIGKILL' | 'none'): Omit<Orders, 'run'> => ({
  environment,
  strikes: [{ call: SWITCH, side, signal }],
});

const progressOf = (handle: WorkflowHandle): Promise<ProgressView> => handle.query('progress');

async function waitingGate(handle: WorkflowHandle): Promise<GateView> {
  return waitFor(
    'a waiting gate',
    async () => (await handle.query<GateView[]>('gates')).find(({ outcome }) => outcome === 'waiting'),
    { timeoutSeconds: 120 },
  );
}

async function approve(handle: WorkflowHandle, { name: gate, code }: GateView): Promise<void> {
  const decision = { gate, decision: 'approve', by: 'bea', code };
  expect(await handle.executeUpdate('decide', { args: [decision] })).toMatchObject({ code: 'recorded' });
}

/** Resets to the workflow task that took the decision; the server then applies the decision again. */
async function resetBeforeDecision(handle: WorkflowHandle): Promise<WorkflowHandle> {
  const { events } = await handle.fetchHistory();
  const decided = events!.findIndex((event) => event.workflowExecutionUpdateAcceptedEventAttributes);
  const task = events!.slice(0, decided).findLast((event) => event.workflowTaskCompletedEventAttributes);
  const { runId } = await bench.client.workflowService.resetWorkflowExecution({
    namespace: bench.client.options.namespace,
    workflowExecution: { workflowId: handle.workflowId },
    workflowTaskFinishEventId: task!.eventId!,
    requestId: randomUUID(),
    reason: 'reset past an approved gate',
  });
  return bench.client.workflow.getHandle(handle.workflowId, runId);
}
