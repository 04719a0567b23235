import { waitFor } from '../../scripts/sandbox/wait.ts';
import {
  apply,
  createTestNamespace,
  deploySample,
  kubectl,
  sampleManifests,
  type TestNamespace,
} from '../support/namespace.ts';
import { createBench } from '../support/release.ts';

// What a plan refuses, and why; the pods themselves do not matter, so nothing waits for them.
const namespaces: TestNamespace[] = [];
afterAll(() => Promise.all(namespaces.map((each) => each.remove())));

async function namespaceWith(...manifests: ((namespace: string) => object)[]) {
  const namespace = await createTestNamespace({ capability: 'deploy' });
  namespaces.push(namespace);
  await apply(...manifests.map((each) => each(namespace.name)));
  return { name: namespace.name, ...createBench(namespace.name) };
}

/** Codes of the refusals, once the controller has made the ReplicaSet that each plan needs. */
async function refusalsOf({ draft }: Awaited<ReturnType<typeof namespaceWith>>): Promise<string[]> {
  for (let tries = 0; ; tries++) {
    const { refusals } = await draft('v2');
    const codes = refusals.map(({ code }) => code);
    if (!codes.includes('rolling-out') || tries === 50) return codes;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const sample =
  (over: object = {}) =>
  (namespace: string) =>
    sampleManifests({ namespace, ...over })[0]!;
const service =
  (over: object = {}) =>
  (namespace: string) => ({
    ...sampleManifests({ namespace })[1]!,
    ...(Object.keys(over).length > 0 ? { spec: { ports: [{ port: 80, targetPort: 8080 }], ...over } } : {}),
  });
const workload = (kind: string, name: string) => (namespace: string) => {
  const { metadata, spec } = sampleManifests({ namespace })[0] as { metadata: object; spec: object };
  const extra = kind === 'StatefulSet' ? { serviceName: 'shop' } : {};
  return { apiVersion: 'apps/v1', kind, metadata: { ...metadata, name }, spec: { ...spec, ...extra } };
};

test('a Service without a selector is refused by name', async () => {
  const at = await namespaceWith(sample(), service({ selector: null }));
  expect(await refusalsOf(at)).toEqual(['service-without-selector']);
});

test('two Deployments behind one Service are refused', async () => {
  const at = await namespaceWith(sample(), workload('Deployment', 'shop-two'), service());
  expect(await refusalsOf(at)).toContain('several-workloads');
});

test('a StatefulSet is refused, also beside a Deployment', async () => {
  const alone = await namespaceWith(workload('StatefulSet', 'shop-db'), service());
  expect(await refusalsOf(alone)).toContain('nothing-serves');

  const mixed = await namespaceWith(sample(), workload('StatefulSet', 'shop-db'), service());
  await kubectl('-n', mixed.name, 'rollout', 'status', 'statefulset/shop-db', '--timeout=60s');
  expect(await refusalsOf(mixed)).toContain('foreign-pods');
}, 90_000);

test('a volume that one node alone can mount is refused', async () => {
  const claim = (namespace: string) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
  const at = await namespaceWith(claim, sample({ pod: { volumes } }), service());
  expect(await refusalsOf(at)).toContain('volume-read-write-once');
});

test('a host port is refused', async () => {
  const container = {
    name: 'app',
    image: 'docker.io/windlass/sample:v1',
    ports: [{ containerPort: 8080, hostPort: 31999 }],
  };
  const at = await namespaceWith(sample({ pod: { containers: [container] } }), service());
  expect(await refusalsOf(at)).toContain('host-port');
});

test('a field that Argo CD owns is refused', async () => {
  const at = await namespaceWith(sample(), service());
  await kubectl(
    ...['-n', at.name, 'patch', 'service', 'shop', '--field-manager=argocd-controller', '--type=json'],
    ...['-p', '[{"op":"replace","path":"/spec/selector","value":{"app":"shop","tier":"web"}}]'],
  );
  await kubectl(
    ...['-n', at.name, 'patch', 'service', 'shop', '--field-manager=argocd-controller', '--type=json'],
    ...['-p', '[{"op":"replace","path":"/spec/selector","value":{"app":"shop"}}]'],
  );
  expect(await refusalsOf(at)).toContain('foreign-owner');
});

test('what admission would refuse is a refusal of the plan', async () => {
  const quota = (namespace: string) => ({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'deployments', namespace },
    spec: { hard: { 'count/deployments.apps': '1' } },
  });
  const at = await namespaceWith(quota, service());
  const counted = (count: string): Promise<unknown> =>
    waitFor(
      `a quota that counts ${count}`,
      async () => {
        const found = await kubectl('-n', at.name, 'get', 'resourcequota', 'deployments', '-o', 'json');
        const { status } = JSON.parse(found) as { status: { used?: Record<string, string> } };
        return status.used?.['count/deployments.apps'] === count;
      },
      { timeoutSeconds: 60 },
    );
  // What is created before the API server knows of the quota is counted minutes later.
  await counted('0');
  await apply(sample()(at.name));
  await counted('1');
  expect(await refusalsOf(at)).toEqual(['not-admitted']);
  expect((await at.draft('v2')).refusals[0]!.message).toContain('exceeded quota: deployments');
}, 120_000);

test('an autoscaler and a disruption budget come along, and overlapping selectors are warned of', async () => {
  const at = await namespaceWith(sample(), service(), autoscaler, budget);
  expect(await refusalsOf(at)).toEqual([]);
  const plan = await at.draft('v2');
  expect(plan).toMatchObject({ hpa: { name: 'shop', minReplicas: 1, maxReplicas: 3 }, pdb: 'shop' });
  expect(plan.changes.map(({ verb, kind, name }) => `${verb} ${kind} ${name}`)).toContain(
    'create HorizontalPodAutoscaler shop-green',
  );
  // The old budget selects app=shop, so it covers the new pods; a second one would block every eviction.
  expect(plan.changes.filter(({ kind }) => kind === 'PodDisruptionBudget')).toEqual([]);
  expect(plan.warnings.join()).toContain('AmbiguousSelector');
});

test('pinning an autoscaler survives a repeat, and unpinning gives its own minimum back', async () => {
  const at = await namespaceWith(sample(), service(), autoscaler);
  const fenced = { target: at.target, token: 3, hpa: 'shop' };
  const minimum = () => kubectl('-n', at.name, 'get', 'hpa', 'shop', '-o', 'jsonpath={.spec.minReplicas}');
  await at.act.claimTarget(fenced);
  await at.act.pinAutoscaler({ ...fenced, minimum: 2 });
  await at.act.pinAutoscaler({ ...fenced, minimum: 2 });
  expect(await minimum()).toBe('2');
  const live = await at.act.observeService({ target: at.target, spec: at.slice.spec });
  expect(live.deployments[0]!.hpa).toEqual({ name: 'shop', minReplicas: 1, maxReplicas: 3 });
  await at.act.unpinAutoscaler(fenced);
  await at.act.unpinAutoscaler(fenced);
  expect(await minimum()).toBe('1');
});

test('without its RoleBinding the worker is told which one is missing', async () => {
  const namespace = await createTestNamespace({ bound: false });
  namespaces.push(namespace);
  await deploySample({ namespace: namespace.name });
  await expect(createBench(namespace.name).draft('v2')).rejects.toMatchObject({
    type: 'Forbidden',
    nonRetryable: true,
    message: expect.stringMatching(
      /may not list \w+ in namespace test-\w+ .*bind ClusterRole windlass-worker|may not get services/,
    ),
  });
});

test('a namespace that does not exist, and a Service that does not, are clear errors', async () => {
  await expect(createBench('not-there').draft('v2')).rejects.toMatchObject({
    type: 'Forbidden',
    message: expect.stringContaining('If the namespace exists'),
  });
  const at = await namespaceWith(sample());
  await expect(at.draft('v2')).rejects.toMatchObject({
    type: 'NotFound',
    message: `Service shop is not in namespace ${at.name} of ${at.target.context}.`,
  });
});

function autoscaler(namespace: string): object {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'shop', namespace },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
      minReplicas: 1,
      maxReplicas: 3,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
      ],
    },
  };
}

function budget(namespace: string): object {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'shop', namespace },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'shop' } } },
  };
}
