import type { ContainerStatus, Deployment, KubernetesEvent, Pod } from '../../src/domain/release/objects.ts';
import { explainRollout, isRolledOut } from '../../src/domain/release/rollout.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();
const metadata = (name: string) => ({
  name,
  namespace: 'shop',
  uid: `uid-${name}`,
  resourceVersion: '1',
  generation: 2,
});

const deployment = (status: Deployment['status'] = {}): Deployment => ({
  metadata: metadata('shop'),
  spec: { replicas: 2, selector: {}, template: { spec: { containers: [] } } },
  status,
});
const pod = (status: Partial<ContainerStatus>, over: Pod['status'] = {}): Pod => ({
  metadata: metadata('shop-1'),
  status: { containerStatuses: [{ name: 'app', ready: false, restartCount: 0, ...status }], ...over },
});
const event = (reason: string, message: string, count: number, at = 0): KubernetesEvent => ({
  metadata: metadata(`event-${reason}`),
  involvedObject: { uid: 'uid-shop-1' },
  reason,
  message,
  count,
  lastTimestamp: ago(at),
});
const explain = (pods: Pod[], events: KubernetesEvent[] = [], of = deployment()) =>
  explainRollout({ deployment: of, pods, events, now: NOW });

const ended = (exitCode: number, reason: string, secondsAgo = 5) => ({
  terminated: { exitCode, reason, finishedAt: ago(secondsAgo) },
});

test.each([
  [
    'an image that was refused once may be a hiccup',
    pod({ state: { waiting: { reason: 'ErrImagePull' } } }),
    [event('Failed', 'Failed to pull image "x"', 1)],
    'image-pull',
    false,
  ],
  [
    'an image that was refused twice is not there',
    pod({ state: { waiting: { reason: 'ImagePullBackOff' } } }),
    [event('Failed', 'Failed to pull image "x"', 2)],
    'image-pull',
    true,
  ],
  [
    'an invalid image name never works',
    pod({ state: { waiting: { reason: 'InvalidImageName' } } }),
    [],
    'image-pull',
    true,
  ],
  [
    'an image that may not be pulled never comes',
    pod({ state: { waiting: { reason: 'ErrImageNeverPull' } } }),
    [],
    'image-pull',
    true,
  ],
  ['one crash may be a hiccup', pod({ restartCount: 1, lastState: ended(1, 'Error') }), [], 'crash-loop', false],
  ['two restarts are a crash loop', pod({ restartCount: 2, lastState: ended(1, 'Error') }), [], 'crash-loop', true],
  [
    'a program that ends without an error does not serve either',
    pod({ restartCount: 2, lastState: ended(0, 'Completed') }),
    [],
    'crash-loop',
    true,
  ],
  [
    'killed for memory once may be a spike',
    pod({ restartCount: 1, lastState: ended(137, 'OOMKilled') }),
    [],
    'out-of-memory',
    false,
  ],
  [
    'killed for memory twice is the limit',
    pod({ restartCount: 2, state: ended(137, 'OOMKilled') }),
    [],
    'out-of-memory',
    true,
  ],
  [
    'a missing ConfigMap may still be made',
    pod({ state: { waiting: { reason: 'CreateContainerConfigError' } } }, { startTime: ago(5) }),
    [],
    'configuration',
    false,
  ],
  [
    'a ConfigMap that stays away is missing',
    pod({ state: { waiting: { reason: 'CreateContainerConfigError' } } }, { startTime: ago(21) }),
    [],
    'configuration',
    true,
  ],
  [
    'a pod without a node for a moment waits for one',
    pod({}, { conditions: [{ type: 'PodScheduled', status: 'False', lastTransitionTime: ago(5) }] }),
    [],
    'unschedulable',
    false,
  ],
  [
    'a pod without a node for long gets none',
    pod({}, { conditions: [{ type: 'PodScheduled', status: 'False', lastTransitionTime: ago(21) }] }),
    [],
    'unschedulable',
    true,
  ],
  ['a pod that runs and is not ready may only be slow', pod({ state: { running: {} } }), [], 'probe', false],
] as const)('%s', (_case, broken, events, reason, certain) => {
  expect(explain([broken], [...events])).toMatchObject({ reason, certain });
});

test('memory that runs out in two pods at once is certain before either restarts twice', () => {
  const killed = pod({ restartCount: 1, lastState: ended(137, 'OOMKilled') });
  expect(explain([killed, { ...killed, metadata: metadata('shop-2') }])).toMatchObject({ certain: true });
});

test('the newest answer of the probe is told', () => {
  const events = [event('Unhealthy', 'HTTP 503', 3, 1), event('Unhealthy', 'connection refused', 1, 60)];
  expect(explain([pod({ state: { running: {} } })], events)?.detail).toContain('HTTP 503');
});

test('a crash of long ago does not explain why a pod is not ready now', () => {
  const survivor = pod({ restartCount: 4, state: { running: {} }, lastState: ended(1, 'Error', 3600) });
  expect(explain([survivor])).toMatchObject({ reason: 'probe' });
});

test('a pod that is ready is in no trouble, whatever happened to it', () => {
  expect(explain([pod({ ready: true, restartCount: 9, lastState: ended(1, 'Error') })])).toBeUndefined();
});

test('a certain cause comes before an uncertain one', () => {
  const slow = pod({ state: { running: {} } });
  const crashing = { ...pod({ restartCount: 3, lastState: ended(1, 'Error') }), metadata: metadata('shop-2') };
  expect(explain([slow, crashing])).toMatchObject({ reason: 'crash-loop', certain: true });
});

test.each([
  ['exceeded quota: small', 'quota'],
  ['violates PodSecurity "restricted"', 'admission'],
])('pods that cannot be made because of "%s" are a matter of %s', (message, reason) => {
  const condition = { type: 'ReplicaFailure', status: 'True', message, lastTransitionTime: ago(30) };
  expect(explain([], [], deployment({ conditions: [condition] }))).toEqual({ reason, detail: message, certain: true });
});

test.each([
  ['all replicas available', { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 }, true],
  [
    'a template that nobody has seen yet',
    { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 },
    false,
  ],
  [
    'pods of the old template left',
    { observedGeneration: 2, replicas: 3, updatedReplicas: 2, availableReplicas: 2 },
    false,
  ],
  [
    'one replica not available',
    { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 1 },
    false,
  ],
  ['no status yet', undefined, false],
])('a rollout with %s is judged by what runs', (_case, status, done) => {
  expect(isRolledOut({ ...deployment(), ...(status ? { status } : {}) })).toBe(done);
});
