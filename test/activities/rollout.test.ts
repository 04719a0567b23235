import {
  apply,
  createTestNamespace,
  sampleContainer,
  sampleManifests,
  type TestNamespace,
} from '../support/namespace.ts';
import { createBench, image, type Bench } from '../support/release.ts';

// Each Deployment fails in its own way; they run at the same time, in one namespace.
let namespace: TestNamespace;
let bench: Bench;

beforeAll(async () => {
  namespace = await createTestNamespace({ capability: 'deploy' });
  bench = createBench(namespace.name);
  const broken = (name: string, container: object): object => deployment(name, { spec: { containers: [container] } });
  await apply(
    broken('image-pull', sampleContainer('v1', { image: 'registry.invalid/shop:v1', imagePullPolicy: 'Always' })),
    broken('crash-loop', sampleContainer('v6')),
    broken('out-of-memory', sampleContainer('v7')),
    broken('unschedulable', sampleContainer('v1', { resources: { requests: { cpu: '1000' } } })),
    broken('probe', sampleContainer('v8')),
    broken('configuration', sampleContainer('v1', { envFrom: [{ configMapRef: { name: 'not-there' } }] })),
    broken('healthy', sampleContainer('v1')),
  );
}, 60_000);
afterAll(async () => namespace?.remove());

const rollout = (name: string, timeoutMs = 150_000) =>
  bench.act.awaitRollout({ target: bench.target, deployment: name, timeoutMs });

test.concurrent.each([
  ['image-pull', 'cannot get its image'],
  ['crash-loop', 'ended with exit code 1'],
  ['out-of-memory', 'more memory than its limit'],
  ['unschedulable', 'Insufficient cpu'],
  ['configuration', 'configmap "not-there" not found'],
])(
  'a rollout that cannot succeed for %s ends early and says so',
  async (reason, detail) => {
    const started = Date.now();
    expect(await rollout(reason)).toMatchObject({ ready: false, reason, detail: expect.stringContaining(detail) });
    expect(Date.now() - started).toBeLessThan(150_000);
  },
  170_000,
);

test('pods that run and never become ready are told apart, when the time is over', async () => {
  expect(await rollout('probe', 15_000)).toMatchObject({
    ready: false,
    reason: 'probe',
    detail: expect.stringMatching(/container app runs but is not ready: Readiness probe failed.*503.*\(after 15 s\)/s),
  });
}, 40_000);

test('a finished rollout tells what runs, down to the image', async () => {
  expect(await rollout('healthy')).toEqual({
    ready: true,
    uid: expect.any(String),
    templateHash: expect.stringMatching(/^[a-z0-9]+$/),
    imageIds: [expect.stringMatching(/sha256:[a-f0-9]{64}/)],
  });
}, 60_000);

test('pods that a quota keeps out are told apart', async () => {
  const full = await createTestNamespace({ capability: 'deploy' });
  try {
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'small', namespace: full.name } };
    await apply({ ...quota, spec: { hard: { pods: '0' } } }, ...sampleManifests({ namespace: full.name }));
    const { act, target } = createBench(full.name);
    expect(await act.awaitRollout({ target, deployment: 'shop', timeoutMs: 60_000 })).toMatchObject({
      ready: false,
      reason: 'quota',
      detail: expect.stringContaining('exceeded quota: small'),
    });
  } finally {
    await full.remove();
  }
}, 90_000);

test('a Deployment that is gone is an error, not a wait', async () => {
  await expect(rollout('never-made')).rejects.toMatchObject({ type: 'NotFound' });
});

test('evidence of a color has its logs and events, and no literal of its environment', async () => {
  const { act, target, kept } = bench;
  const ref = await act.keepColorEvidence({ target, deployment: 'crash-loop', evidenceKey: 'deploy/green.json' });
  const { body } = kept.get('deploy/green.json')!;
  expect(ref.bytes).toBe(Buffer.byteLength(body));
  expect(body).not.toContain('literal-not-to-be-shown');
  const evidence = JSON.parse(body);
  expect(evidence.deployment.spec.template.spec.containers[0]).toMatchObject({ image: image('v6') });
  expect(JSON.stringify(evidence.deployment)).toMatch(/"APP_GREETING","value":"hmac:[a-f0-9]{12}"/);
  expect(Object.values(evidence.logs).join()).toContain('crash fault: exiting with 1');
  expect(evidence.pods).toHaveLength(1);
  expect(evidence.events.length).toBeGreaterThan(0);
}, 30_000);

function deployment(name: string, template: object): object {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: namespace.name },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, ...template } },
  };
}
