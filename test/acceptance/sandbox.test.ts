import { AppsV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { Client, Connection } from '@temporalio/client';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Endpoints } from '../../scripts/sandbox/endpoints.ts';
import { intakePort, ports } from '../../scripts/sandbox/ports.ts';
import { removeRules, writeRules } from '../../scripts/sandbox/rules.ts';
import { run } from '../../scripts/sandbox/run.ts';
import { waitFor } from '../../scripts/sandbox/wait.ts';
import { podProcesses, processesNaming, snapshotHost } from '../support/host-snapshot.ts';

const minute = 60_000;
const program = new URL('../../scripts/sandbox/main.ts', import.meta.url).pathname;
const states: string[] = [];
let first: string;

beforeAll(() => {
  first = newState();
});

afterAll(async () => {
  for (const state of states) {
    await sandbox(state, 'down');
    rmSync(state, { recursive: true, force: true });
  }
}, minute);

test(
  'down leaves no process, mount, interface, rule, cgroup, kernel setting or file behind',
  async () => {
    const before = snapshotHost();
    const endpoints = await up(first);
    await runPods(endpoints);
    expect(podProcesses()).not.toEqual([]);
    expect(processesNaming(first)).not.toEqual([]);
    expect(snapshotHost()).not.toEqual(before);

    expect(await sandbox(first, 'down')).toMatchObject({ code: 0 });

    expect(processesNaming(first)).toEqual([]);
    expect(podProcesses()).toEqual([]);
    expect(snapshotHost()).toEqual(before);
    expect(await listening(Object.values(ports))).toEqual([]);
  },
  // The first start on a machine may build everything.
  20 * minute,
);

test(
  'up brings everything back after kill -9 of everything, with its data',
  async () => {
    const before = await up(first);
    await runPods(before);
    await startWorkflow(before, 'survives-kill');
    await inClusterPostgres(first, 'CREATE TABLE survives_kill AS SELECT 4711 AS n');

    for (const pid of [...ownedPids(first), ...podProcesses()]) kill(pid);
    await waitFor('the end of all', async () => podProcesses().length === 0, { timeoutSeconds: 10 });
    expect(await sandbox(first, 'status')).toMatchObject({ code: 1 });

    // Kubernetes tells times in whole seconds.
    const killedAt = new Date(Math.floor(Date.now() / 1000) * 1000);
    const after = await up(first);
    await podsReady(after, killedAt);
    expect(await workflowStatus(after, 'survives-kill')).toBe('RUNNING');
    await metricsServed(after);
    expect(await inClusterPostgres(first, 'SELECT n FROM survives_kill')).toEqual([{ n: 4711 }]);
    expect(podProcesses()).not.toEqual([]);
  },
  3 * minute,
);

test(
  'up on a sandbox that is up leaves its processes alone',
  async () => {
    const before = await up(first);
    const again = await up(first);
    expect(again.processes).toEqual(before.processes);
    expect(await sandbox(first, 'status')).toMatchObject({ code: 0 });
  },
  minute,
);

test(
  'restart kills one part and brings it back, the others untouched',
  async () => {
    const before = await up(first);
    for (const name of ['kube-apiserver', 'temporal', 'containerd', 's3']) {
      const { code, stderr } = await sandbox(first, 'restart', name);
      expect(code === 0 ? '' : stderr).toBe('');
    }
    const { processes } = await up(first);
    const restarted = Object.keys(processes).filter((name) => processes[name]?.pid !== before.processes[name]?.pid);
    expect(restarted.sort()).toEqual(['containerd', 'kube-apiserver', 's3', 'temporal']);
  },
  2 * minute,
);

test(
  'a rule that is true reaches the intake as an alert, with the token; its end does too',
  async () => {
    const { prometheus, alertmanager } = await up(first);
    const received: { authorization?: string; status: string; alerts: { labels: { alertname: string } }[] }[] = [];
    const intake = createHttpServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        if (request.method === 'POST' && request.url === '/alerts')
          received.push({ ...JSON.parse(body), authorization: request.headers.authorization });
        response.end();
      });
    }).listen(intakePort, '127.0.0.1');
    await once(intake, 'listening');
    try {
      const told = (status: string) => async () => received.some((one) => one.status === status);
      const write = (expr: string) =>
        writeRules(prometheus, 'sandbox-test', [{ name: 'sandbox-test', rules: [{ alert: 'SandboxTest', expr }] }]);
      await write('vector(1)');
      await waitFor('the alert', told('firing'), { timeoutSeconds: 30 });
      await write('vector(1) > 2');
      await waitFor('its end', told('resolved'), { timeoutSeconds: 30 });
      await removeRules(prometheus, 'sandbox-test');
      const token = readFileSync(alertmanager.intake.tokenFile, 'utf8');
      expect(received.map(({ authorization }) => authorization)).toEqual(received.map(() => `Bearer ${token}`));
      expect(received[0]?.alerts.map(({ labels }) => labels.alertname)).toEqual(['SandboxTest']);
      await expect(writeRules(prometheus, 'wrong', [{ name: 'wrong', rules: [{ alert: 'x' }] }])).rejects.toThrow(
        'Prometheus refuses',
      );
      // What was refused is not in the way of the next.
      await removeRules(prometheus, 'wrong');
    } finally {
      intake.closeAllConnections();
      intake.close();
    }
  },
  2 * minute,
);

test(
  'up refuses a port that another program has, and leaves nothing started',
  async () => {
    await sandbox(first, 'down');
    const squatter = createServer().listen(ports.postgres, '127.0.0.1');
    await once(squatter, 'listening');
    try {
      const { code, stderr } = await sandbox(first, 'up');
      expect(code).toBe(1);
      expect(stderr).toContain(`${ports.postgres} (postgres)`);
      expect(processesNaming(first)).toEqual([]);
    } finally {
      squatter.close();
    }
  },
  minute,
);

test(
  'a second sandbox is refused with a message that names the first',
  async () => {
    await up(first);
    const second = newState();
    const { code, stderr } = await sandbox(second, 'up');
    expect(code).toBe(1);
    expect(stderr).toContain(`another sandbox has this machine: ${join(first, 'sandbox')}`);
    expect(stderr).toContain(`WINDLASS_STATE=${first} npm run sandbox -- down`);
    expect(processesNaming(second)).toEqual([]);
    expect(await sandbox(first, 'status')).toMatchObject({ code: 0 });
  },
  minute,
);

function newState(): string {
  const state = mkdtempSync(join(tmpdir(), 'windlass-'));
  states.push(state);
  return state;
}

async function sandbox(
  state: string,
  ...args: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const env = { ...process.env, WINDLASS_STATE: state };
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}

async function up(state: string): Promise<Endpoints> {
  const { code, stdout, stderr } = await sandbox(state, 'up', '--json');
  if (code !== 0) throw new Error(`up failed:\n${stderr}`);
  return JSON.parse(stdout) as Endpoints;
}

/** Pids of the sandbox's processes, found by what they name and not by the sandbox's own book-keeping. */
function ownedPids(state: string): number[] {
  return processesNaming(state).map((line) => Number(line.split(' ')[0]));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended with its parent.
  }
}

async function listening(all: number[]): Promise<number[]> {
  const answers = await Promise.all(all.map(accepts));
  return all.filter((_, index) => answers[index]);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

function cluster({ kubernetes }: Endpoints): KubeConfig {
  const config = new KubeConfig();
  config.loadFromString(readFileSync(kubernetes.adminKubeconfig, 'utf8'));
  return config;
}

/** Two pods of the sample application, so that there are containers, mounts and network namespaces. */
async function runPods(endpoints: Endpoints): Promise<void> {
  const labels = { app: 'left-behind' };
  const container = {
    name: 'app',
    image: endpoints.images[0],
    readinessProbe: { httpGet: { path: '/health', port: 8080 } },
  };
  const body = {
    metadata: { name: 'left-behind' },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
  const apps = cluster(endpoints).makeApiClient(AppsV1Api);
  const { items } = await apps.listNamespacedDeployment({ namespace: 'default' });
  if (items.length === 0) await apps.createNamespacedDeployment({ namespace: 'default', body });
  await podsReady(endpoints, new Date(0));
}

/** Waits for two pods whose containers started at or after `since` and are ready. */
async function podsReady(endpoints: Endpoints, since: Date): Promise<void> {
  const core = cluster(endpoints).makeApiClient(CoreV1Api);
  const looked = async () => {
    const { items } = await core.listNamespacedPod({ namespace: 'default' });
    const containers = items.flatMap((pod) => pod.status?.containerStatuses ?? []);
    const fresh = containers.filter(
      ({ ready, state }) => ready && (state?.running?.startedAt?.getTime() ?? 0) >= since.getTime(),
    );
    return fresh.length === 2;
  };
  await waitFor('two pods ready', looked, { timeoutSeconds: 60 });
}

/** The API server reaches metrics-server by its Service. */
async function metricsServed(endpoints: Endpoints): Promise<void> {
  const { kubectl, adminKubeconfig } = endpoints.kubernetes;
  const ask = ['--kubeconfig', adminKubeconfig, 'get', '--raw', '/apis/metrics.k8s.io/v1beta1'];
  const served = async (): Promise<boolean> => (await run(kubectl, ask)).includes('APIResourceList');
  await waitFor('the metrics API', served, { timeoutSeconds: 60 });
}

/** One statement on the PostgreSQL in the cluster, which the first call brings up. */
async function inClusterPostgres(state: string, sql: string): Promise<unknown[]> {
  const { code, stdout, stderr } = await sandbox(state, 'postgres', '--json');
  if (code !== 0) throw new Error(`postgres failed:\n${stderr}`);
  const { host, port, user, passwordFile } = JSON.parse(stdout) as Record<string, string>;
  const password = readFileSync(passwordFile!, 'utf8');
  const client = new pg.Client({ host, port: Number(port), user, password, database: 'postgres' });
  await client.connect();
  return client.query(sql).then(({ rows }) => rows).finally(() => client.end()); // prettier-ignore
}

async function withTemporal<T>({ temporal }: Endpoints, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: temporal.address });
  try {
    return await work(new Client({ connection, namespace: temporal.namespace }));
  } finally {
    await connection.close();
  }
}

/** A workflow that no worker takes: it waits in the server's database. */
async function startWorkflow(endpoints: Endpoints, workflowId: string): Promise<void> {
  await withTemporal(endpoints, (client) => client.workflow.start('unserved', { workflowId, taskQueue: 'unserved' }));
}

async function workflowStatus(endpoints: Endpoints, workflowId: string): Promise<string> {
  return withTemporal(
    endpoints,
    async (client) => (await client.workflow.getHandle(workflowId).describe()).status.name,
  );
}
