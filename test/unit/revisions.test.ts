import type { Deployment, ReplicaSet } from '../../src/domain/release/objects.ts';
import { deployableTemplate, imagesText, isSettled, revisionsOf } from '../../src/domain/release/revisions.ts';

const REVISION = 'deployment.kubernetes.io/revision';
const metadata = { namespace: 'shop', resourceVersion: '1' };

const deployment = (over: { revision?: string; observedGeneration?: number } = {}): Deployment => ({
  metadata: { ...metadata, name: 'shop', uid: 'd', generation: 3, annotations: { [REVISION]: over.revision ?? '10' } },
  spec: { selector: {}, template: { spec: { containers: [] } } },
  status: { observedGeneration: over.observedGeneration ?? 3 },
});

const replicaSet = (revision: string, image: string, owner = 'd'): ReplicaSet => ({
  metadata: {
    ...metadata,
    ...{ name: `shop-${revision}`, uid: revision, annotations: { [REVISION]: revision } },
    ownerReferences: [{ kind: 'Deployment', name: 'shop', uid: owner, controller: true }],
  },
  spec: {
    template: {
      metadata: { labels: { app: 'shop', 'pod-template-hash': revision } },
      spec: { containers: [{ name: 'app', image }] },
    },
  },
});

const all = [replicaSet('9', 'shop:v1'), replicaSet('10', 'shop:v2'), replicaSet('11', 'other:v1', 'another')];

test('revisions are those of the Deployment itself, the newest first by number and not by text', () => {
  const revisions = revisionsOf(deployment(), all);
  expect(revisions.map(({ revision, images }) => [revision, images['app']])).toEqual([
    [10, 'shop:v2'],
    [9, 'shop:v1'],
  ]);
});

test.each([
  ['settled when the controller numbered the newest template', deployment(), true],
  ['not settled while the controller has not seen it', deployment({ observedGeneration: 2 }), false],
  ['not settled while its ReplicaSet is not there', deployment({ revision: '12' }), false],
])('a Deployment is %s', (_, of, settled) => {
  expect(isSettled(of, revisionsOf(of, all))).toBe(settled);
});

test('a template goes back without the label that the controller added', () => {
  const [newest] = revisionsOf(deployment(), all);
  expect(deployableTemplate(newest!).metadata!.labels).toEqual({ app: 'shop' });
});

test('images are told by container when there is more than one', () => {
  expect(imagesText({ images: { app: 'shop:v1' } })).toBe('shop:v1');
  expect(imagesText({ images: { app: 'shop:v1', proxy: 'envoy:v3' } })).toBe('app shop:v1, proxy envoy:v3');
});
