import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { capabilityOf } from '../../src/domain/capabilities.ts';
import { openAcceptance, type Acceptance } from '../support/acceptance.ts';
import { BRISK } from '../support/acceptance-catalog.ts';
import { auditPosition, readAudit } from '../support/crash/audit.ts';
import { createTestNamespace, kubectl, type TestNamespace } from '../support/namespace.ts';
import { bindRole, createServiceAccount, type ServiceAccount } from '../support/service-account.ts';
import { startWorker, type WorkerProcess } from '../support/worker.ts';

// Three workers in processes of their own, each with what its capability needs and nothing else, carry out one release.
let home: TestNamespace;
let core: ServiceAccount;
let deploy: ServiceAccount;
let unbind: (() => Promise<unknown>) | undefined;
let acceptance: Acceptance;
const workers: WorkerProcess[] = [];
const queueOf = (environment: string, capability: string) => `${environment}-${capability}`;

/** What the worker of every capability would have; here each has its own share. */
const NO_SECRETS = {
  WINDLASS_SLACK_URL: undefined,
  WINDLASS_SANDBOX_POSTGRES_PASSWORD: undefined,
  WINDLASS_SANDBOX_S3_SECRET: undefined,
  WINDLASS_BACKUP_KEY: undefined,
};
const NO_OBJECT_STORE = {
  WINDLASS_S3_ENDPOINT: undefined,
  WINDLASS_S3_BUCKET: undefined,
  WINDLASS_S3_ACCESS_KEY_ID: undefined,
  WINDLASS_S3_SECRET_KEY_FILE: undefined,
};

beforeAll(async () => {
  home = await createTestNamespace({ bound: false });
  core = await createServiceAccount(home.name, 'core');
  deploy = await createServiceAccount(home.name, 'deploy');
  // The namespace itself is asked for, which RBAC counts as in it.
  unbind = await bindRole(deploy, 'windlass-cluster-identity', 'kube-system');
  acceptance = await openAcceptance({
    subject: 'capabilities',
    stages: 1,
    variants: { brisk: BRISK },
    catalog: (environments) => ({
      environments: Object.fromEntries(
        environments.map((name) => [
          name,
          { taskQueues: { deploy: queueOf(name, 'deploy'), notify: queueOf(name, 'notify') } },
        ]),
      ),
    }),
    env: { ...NO_SECRETS, WINDLASS_CAPABILITIES: 'core', KUBECONFIG: core.kubeconfig },
  });
}, 120_000);

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await acceptance?.close();
  await unbind?.();
  await home?.remove();
});

test('a release by workers of one capability each: only that of deploy may change the cluster, and it alone does', () =>
  acceptance.stage({ service: 'brisk' }, async (stage) => {
    const { environment } = stage;
    const { auditLog } = readEndpoints().kubernetes;
    const from = auditPosition(auditLog!);
    await bindRole(deploy, 'windlass-deploy', environment);
    const channel = `${readEndpoints().receivers.url}/slack/${acceptance.taskQueue}`;
    workers.push(
      await startWorker({
        taskQueue: queueOf(environment, 'deploy'),
        // It is told what it needs of the catalog, and has none.
        systems: '/nonexistent',
        env: { ...NO_SECRETS, WINDLASS_CAPABILITIES: 'deploy', KUBECONFIG: deploy.kubeconfig },
      }),
    );
    const release = await stage.deployApproved('v2');
    // Its notices wait for the worker that has the token.
    workers.push(
      await startWorker({
        taskQueue: queueOf(environment, 'notify'),
        overlays: [acceptance.overlay],
        env: {
          ...{ ...NO_SECRETS, ...NO_OBJECT_STORE, KUBECONFIG: '/nonexistent' },
          ...{ WINDLASS_CAPABILITIES: 'notify', WINDLASS_SLACK_URL: channel },
        },
      }),
    );
    expect(await release.ending()).toMatchObject({ ok: true, result: { outcome: 'released', version: 'v2' } });
    expect(await stage.served()).toBe('v2');
    expect(await acceptance.notices()).toEqual(
      expect.arrayContaining([expect.stringContaining('v2 serves all traffic')]),
    );

    const { events } = await release.handle.fetchHistory();
    const sent = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled ?? []);
    for (const { activityType, taskQueue } of sent) {
      const capability = capabilityOf(activityType!.name!)!;
      const queue = capability === 'core' ? acceptance.taskQueue : queueOf(environment, capability);
      expect([activityType!.name, taskQueue!.name]).toEqual([activityType!.name, queue]);
    }
    const changedBy = async ({ user }: Pick<ServiceAccount, 'user'>) =>
      (await readAudit(auditLog!, from, environment, user)).length;
    expect(await changedBy(deploy)).toBeGreaterThan(0);
    expect(await changedBy(core)).toBe(0);
    expect(await stage.changes()).toEqual([]);

    const asked = ['patch services', 'create deployments', 'list pods', 'get secrets', 'delete pods'];
    const answers = async (account: ServiceAccount) =>
      Promise.all(asked.map((what) => account.may(what, environment)));
    expect(await answers(core)).toEqual([false, false, false, false, false]);
    expect(await answers(deploy)).toEqual([true, true, true, false, false]);
    // Elsewhere it may nothing.
    expect(await deploy.may('patch services', home.name)).toBe(false);
    expect(await kubectl('get', 'deployments', '-n', environment, '-o', 'name')).toContain('agent-system-green');
  }), 240_000); // prettier-ignore
