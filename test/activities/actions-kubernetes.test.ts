import { waitFor } from '../../scripts/sandbox/wait.ts';
import { createClusterActionBench, type ActionBench } from '../support/action-bench.ts';
import {
  adminCluster,
  apply,
  createTestNamespace,
  deployReadySample,
  kubectl,
  sampleContainer,
  type TestNamespace,
} from '../support/namespace.ts';

// What runbooks see of running pods, and Jobs. The pods fail each in their own way, at the same time.
let namespace: TestNamespace;
let bench: ActionBench;

beforeAll(async () => {
  namespace = await createTestNamespace({ capability: 'operate' });
  bench = createClusterActionBench(namespace.name);
  await apply(
    deployment('image-pull', sampleContainer('v1', { image: 'registry.invalid/shop:v1', imagePullPolicy: 'Always' })),
    deployment('crash-loop', sampleContainer('v6')),
    deployment('out-of-memory', sampleContainer('v7')),
    deployment('unschedulable', sampleContainer('v1', { resources: { requests: { cpu: '1000' } } })),
    deployment('probe', sampleContainer('v8')),
  );
  await deployReadySample({ namespace: namespace.name, replicas: 2 });
}, 120_000);
afterAll(async () => namespace?.remove());

function deployment(name: string, container: object, strategy = 'RollingUpdate'): object {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: namespace.name },
    spec: {
      replicas: 1,
      strategy: { type: strategy },
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
}

test('describePods tells running pods by name, node and restarts', async () => {
  const there = await adminCluster().list('Pod', namespace.name, { labelSelector: 'app=shop' });
  const { count, ready, restarts, reasons, pods } = await bench.run('describePods', { workload: 'shop' });
  expect([count, ready, restarts, reasons]).toEqual([2, 2, 0, []]);
  expect(pods).toEqual(
    there
      .sort((a, b) => a.metadata.name.localeCompare(b.metadata.name))
      .map(({ metadata: { name, uid }, spec }) => {
        const calm = { phase: 'Running', ready: true, restarts: 0, reason: '', detail: '' };
        return { name, uid, node: spec?.nodeName, ...calm };
      }),
  );
});

test.concurrent.each([
  ['image-pull', /cannot get its image/],
  ['crash-loop', /ended with exit code 1/],
  ['out-of-memory', /more memory than its limit/],
  ['unschedulable', /Insufficient cpu/],
  ['probe', /Readiness probe failed/],
])(
  'describePods tells %s apart',
  async (reason, detail) => {
    const told = async () => {
      const { pods, reasons } = await bench.run('describePods', { labels: { app: reason } });
      return reasons.includes(reason) && detail.test(pods[0].detail) && pods[0];
    };
    expect(await waitFor(reason, told, { timeoutSeconds: 90 })).toMatchObject({ ready: false, reason });
  },
  100_000,
);

test('describeWorkload tells replicas and images', async () => {
  expect(await bench.run('describeWorkload', { name: 'shop' })).toMatchObject({
    replicas: 2,
    ready: 2,
    available: 2,
    updated: 2,
    rolledOut: true,
    images: { app: 'docker.io/windlass/sample:v1' },
    conditions: expect.arrayContaining([expect.stringMatching(/^Available=True/)]),
  });
  await expect(bench.run('describeWorkload', { name: 'absent' })).rejects.toMatchObject({ type: 'NotFound' });
});

test('awaitRollout waits for the newest template, and names the reason when it cannot come', async () => {
  const { images } = await bench.run('awaitRollout', { name: 'shop', within: '60s' });
  expect(images).toEqual([expect.stringMatching(/sha256:[a-f0-9]{64}/)]);
  await expect(bench.run('awaitRollout', { name: 'unschedulable', within: '5s' })).rejects.toMatchObject({
    type: 'RolloutFailed',
    message: expect.stringMatching(/^Deployment unschedulable: unschedulable: .*Insufficient cpu/),
    details: [{ reason: 'unschedulable' }],
  });
}, 90_000);

test.each(['RollingUpdate', 'Recreate'])(
  'awaitRollout does not blame a new template for pods of the one before: %s',
  async (strategy) => {
    const name = `repaired-${strategy.toLowerCase()}`;
    const bad = sampleContainer('v1', { image: 'registry.invalid/shop:v2' });
    await apply(deployment(name, bad, strategy));
    const failed = { details: [{ reason: 'image-pull' }] };
    await expect(bench.run('awaitRollout', { name, within: '60s' })).rejects.toMatchObject(failed);
    const { image } = sampleContainer('v1') as { image: string };
    // Its controller has seen nothing of it when the action looks for the first time.
    await adminCluster().patch('Deployment', namespace.name, name, [
      { op: 'replace', path: '/spec/template/spec/containers/0/image', value: image },
    ]);
    expect((await bench.run('awaitRollout', { name, within: '60s' })).images).toHaveLength(1);
  },
  120_000,
);

test('awaitRollout knows StatefulSets too', async () => {
  const labels = { app: 'store' };
  await apply({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'store', namespace: namespace.name },
    spec: {
      replicas: 1,
      serviceName: 'store',
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [sampleContainer('v1')] } },
    },
  });
  const { images } = await bench.run('awaitRollout', { kind: 'StatefulSet', name: 'store', within: '90s' });
  expect(images).toHaveLength(1);
  const ready = await kubectl('-n', namespace.name, 'get', 'sts', 'store', '-o', 'jsonpath={.status.readyReplicas}');
  expect(ready).toBe('1');
}, 100_000);

test('checkEndpoints counts what traffic reaches', async () => {
  const { ok, ready, total, pods } = await bench.run('checkEndpoints', { service: 'shop', atLeast: 2 });
  expect([ok, ready, total, pods.length]).toEqual([true, 2, 2, 2]);
  const more = { service: 'shop', atLeast: 3 };
  const fault = 'Service shop has 2 ready endpoints of 2, expected at least 3';
  expect(await bench.run('checkEndpoints', more)).toMatchObject({ ok: false, faults: [fault] });
  await expect(bench.run('checkEndpoints', { ...more, orFail: true })).rejects.toMatchObject({ type: 'ChecksFailed' });
});

test('readPodLogs keeps the logs and returns their end', async () => {
  const pods = await adminCluster().list('Pod', namespace.name, { labelSelector: 'app=shop' });
  const {
    uri,
    bytes,
    last,
    pods: read,
  } = await bench.run('readPodLogs', { workload: 'shop', show: 3 }, { key: 'a/b' });
  expect(read).toEqual(pods.map(({ metadata }) => metadata.name).sort());
  expect(uri).toBe('s3://test/steps/test/local/a/b/pods.log');
  const { body } = bench.kept.get('steps/test/local/a/b/pods.log')!;
  expect(bytes).toBe(Buffer.byteLength(body));
  const { name } = pods[0]!.metadata;
  const log = await kubectl('-n', namespace.name, 'logs', name);
  expect(body).toContain(`==> ${name}/app\n${log.split('\n')[0]}`);
  expect(last).toEqual(body.split('\n').slice(-3));
});

test('readPodLogs counts and returns the lines with a text, taken as it stands, and keeps all', async () => {
  const all = await bench.run('readPodLogs', { workload: 'shop' });
  const { matches, last, bytes } = await bench.run('readPodLogs', { workload: 'shop', containing: 'LISTENING' });
  expect([matches, last.length, bytes]).toEqual([2, 2, all.bytes]);
  expect(all.matches).toBeGreaterThan(matches);
  // A regular expression would match.
  const none = await bench.run('readPodLogs', { workload: 'shop', containing: 'list.*ing' });
  expect([none.matches, none.last, none.bytes]).toEqual([0, [], all.bytes]);
});

test('readPodLogs of the former run says why it ended', async () => {
  const crashed = async () => {
    const { last } = await bench.run('readPodLogs', { labels: { app: 'crash-loop' }, previous: true });
    return last.join('\n').includes('crash fault: exiting with 1');
  };
  expect(await waitFor('the log of a former run', crashed, { timeoutSeconds: 60 })).toBe(true);
}, 70_000);

test('listEvents lists warnings of one object, the newest first', async () => {
  const [pod] = await adminCluster().list('Pod', namespace.name, { labelSelector: 'app=unschedulable' });
  const about = { kind: 'Pod', name: pod!.metadata.name, type: 'Warning' };
  const { events } = await bench.run('listEvents', about);
  expect(events[0]).toMatchObject({
    type: 'Warning',
    reason: 'FailedScheduling',
    object: `Pod/${pod!.metadata.name}`,
    message: expect.stringContaining('Insufficient cpu'),
  });
  const all = (await bench.run('listEvents', { limit: 100 })).events.map(({ at }: { at: string }) => at);
  expect(all).toEqual([...all].sort().reverse());
});

test('measurePodUsage tells what pods use', async () => {
  // It fails until the pods were measured; waitFor tells the last failure.
  const both = async () => {
    const usage = await bench.run('measurePodUsage', { labels: { app: 'shop' } });
    if (usage.pods.length !== 2) throw new Error(`measured: ${JSON.stringify(usage.pods)}`);
    return usage;
  };
  const { memoryMiB, pods } = await waitFor('the usage of both pods', both, { timeoutSeconds: 90 });
  expect(pods.every((pod: { memoryMiB: number }) => pod.memoryMiB > 1 && pod.memoryMiB < 192)).toBe(true);
  expect(memoryMiB).toBeCloseTo(pods[0].memoryMiB + pods[1].memoryMiB, 1);
}, 100_000);

describe('runJob', () => {
  const job = { name: 'once', image: 'docker.io/windlass/sample:v1', timeout: '60s' };
  const run = (command: string[], key: string) => bench.run('runJob', { ...job, command }, { key });

  test('runs a command once, however often the step is attempted', async () => {
    const command = ['node', '/app/job.js', '--expect', 'ok'];
    const { lines } = await bench.plan('runJob', { ...job, command }, { key: 'job-1' });
    const result = await run(command, 'job-1');
    expect(lines[0]).toContain(`Job ${result.job} runs node /app/job.js --expect ok`);
    const { uid } = (await adminCluster().read('Job', namespace.name, result.job)).metadata;
    expect(await run(command, 'job-1')).toEqual(result);
    expect((await adminCluster().read('Job', namespace.name, result.job)).metadata.uid).toBe(uid);
    expect((await run(command, 'job-2')).job).not.toBe(result.job);
  }, 90_000);

  test('one that fails fails the step, and its log is kept', async () => {
    await expect(run(['node', '/app/job.js', '--expect', 'fail'], 'job-3')).rejects.toMatchObject({
      type: 'JobFailed',
      message: expect.stringMatching(
        / failed: .*exit code 1.*its log: s3:\/\/test\/steps\/test\/local\/job-3\/job.log/s,
      ),
    });
    expect(bench.kept.get('steps/test/local/job-3/job.log')!.body).toContain('FAIL requested outcome');
  }, 60_000);
});
