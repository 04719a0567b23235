import {
  colorAutoscaler,
  colorBudget,
  colorDeployment,
  colorPodLabels,
  previewService,
  selectsBy,
  type ColorRequest,
} from '../../src/domain/release/manifests.ts';
import type { Autoscaler, Deployment, DisruptionBudget, Service } from '../../src/domain/release/objects.ts';

const color: ColorRequest = {
  name: 'shop-green',
  oldImage: 'shop:v1',
  image: 'shop:v2',
  replicas: 3,
  selector: { app: 'shop', version: 'green' },
  token: 7,
  createdBy: 'deploy/shop-v2',
};
const metadata = (over: object = {}) => ({ name: 'shop', namespace: 'shop', uid: 'u', resourceVersion: '1', ...over });
const deployment = (over: Partial<Deployment['metadata']> = {}): Deployment => ({
  metadata: metadata(over),
  spec: {
    replicas: 5,
    selector: { matchLabels: { app: 'shop' } },
    template: {
      metadata: { labels: { app: 'shop', 'app.kubernetes.io/instance': 'shop' }, annotations: { note: 'kept' } },
      spec: {
        containers: [
          { name: 'app', image: 'shop:v1' },
          { name: 'proxy', image: 'envoy:1' },
        ],
        initContainers: [{ name: 'migrate', image: 'shop:v1' }],
      },
    },
    ...{ strategy: { type: 'Recreate' }, paused: true, fieldOfTheFuture: { a: 1 } },
  },
  status: { replicas: 5 },
});
const copy = (from: Deployment) => colorDeployment(from, color) as unknown as Deployment;

test('the color has its label in the labels and in the selector', () => {
  const { spec } = copy(deployment());
  expect(spec.selector.matchLabels).toEqual({ app: 'shop', version: 'green' });
  expect(spec.template.metadata!.labels).toMatchObject({ app: 'shop', version: 'green' });
  expect(colorPodLabels(deployment(), color)).toEqual(spec.template.metadata!.labels);
});

test('the released image changes wherever it runs, and no other', () => {
  const { containers, initContainers } = copy(deployment()).spec.template.spec;
  expect(containers.map(({ image }) => image)).toEqual(['shop:v2', 'envoy:1']);
  expect(initContainers![0]!.image).toBe('shop:v2');
});

test('the copy starts at the size of the old one, not paused, and keeps what we do not know', () => {
  const { spec } = copy(deployment()) as { spec: object };
  expect(spec).toMatchObject({ replicas: 3, strategy: { type: 'Recreate' }, fieldOfTheFuture: { a: 1 } });
  expect(spec).not.toHaveProperty('paused');
});

test('what ties the original to other tools is left out of the copy', () => {
  const from = deployment({
    annotations: {
      'kubectl.kubernetes.io/last-applied-configuration': '{}',
      'deployment.kubernetes.io/revision': '3',
      'argocd.argoproj.io/tracking-id': 'shop',
      'meta.helm.sh/release-name': 'shop',
      'windlass.dev/fence': '3',
      'windlass.dev/drains': 'true',
      team: 'shop',
    },
    labels: {
      'app.kubernetes.io/instance': 'shop',
      'kustomize.toolkit.fluxcd.io/name': 'shop',
      'app.kubernetes.io/managed-by': 'Helm',
      app: 'shop',
    },
    ownerReferences: [{ kind: 'Shop', name: 'shop', uid: 'o' }],
  });
  expect(copy(from).metadata).toEqual({
    name: 'shop-green',
    namespace: 'shop',
    labels: { app: 'shop', version: 'green', 'app.kubernetes.io/managed-by': 'windlass' },
    annotations: {
      team: 'shop',
      'windlass.dev/drains': 'true',
      'windlass.dev/fence': '7',
      'windlass.dev/created-by': 'deploy/shop-v2',
    },
  });
});

test('labels that pods may be selected by stay on the pods', () => {
  expect(copy(deployment()).spec.template.metadata!.labels).toHaveProperty(['app.kubernetes.io/instance'], 'shop');
});

test('copying changes nothing of the original', () => {
  const from = deployment();
  const before = structuredClone(from);
  colorDeployment(from, color);
  expect(from).toEqual(before);
});

test('the autoscaler aims at the color, and keeps it at its size until it has traffic', () => {
  const spec = { scaleTargetRef: { kind: 'Deployment', name: 'shop' }, minReplicas: 2, maxReplicas: 9 };
  const from: Autoscaler = { metadata: metadata(), spec: { ...spec, ...{ metrics: ['kept'] } } };
  expect(colorAutoscaler(from, color)).toMatchObject({
    metadata: { name: 'shop-green', annotations: { 'windlass.dev/hpa-minimum': '2' } },
    spec: { scaleTargetRef: { name: 'shop-green' }, minReplicas: 3, maxReplicas: 9, metrics: ['kept'] },
  });
});

test('an autoscaler that was pinned passes its own minimum on', () => {
  const annotations = { 'windlass.dev/hpa-minimum': '1' };
  const spec = { scaleTargetRef: { kind: 'Deployment', name: 'shop' }, minReplicas: 5, maxReplicas: 9 };
  const { metadata: own } = colorAutoscaler({ metadata: metadata({ annotations }), spec }, color);
  expect(own.annotations).toHaveProperty(['windlass.dev/hpa-minimum'], '1');
});

test('a color gets a budget of its own only where the old one does not cover it', () => {
  const budget = (matchLabels: Record<string, string>): DisruptionBudget => ({
    metadata: metadata(),
    spec: { selector: { matchLabels }, ...{ minAvailable: 1 } },
  });
  const labels = colorPodLabels(deployment(), color);
  expect(colorBudget(budget({ app: 'shop' }), labels, color)).toBeUndefined();
  expect(colorBudget(budget({ app: 'shop', version: 'blue' }), labels, color)).toMatchObject({
    spec: { minAvailable: 1, selector: { matchLabels: color.selector } },
  });
});

test('the preview Service has the ports of the real one, none of them on the nodes', () => {
  const service: Service = {
    metadata: metadata({ annotations: { 'external-dns/hostname': 'shop.example.com' } }),
    spec: { selector: { app: 'shop' }, ports: [{ port: 80, targetPort: 'http', ...{ nodePort: 30080 } }] },
  };
  expect(previewService(service, 'shop-preview', color)).toMatchObject({
    metadata: { name: 'shop-preview', annotations: { 'windlass.dev/created-by': 'deploy/shop-v2' } },
    spec: { type: 'ClusterIP', ports: [{ port: 80, targetPort: 'http' }], selector: color.selector },
  });
  expect(JSON.stringify(previewService(service, 'shop-preview', color))).not.toMatch(/nodePort|external-dns/);
});

test.each([
  ['Exists', ['version'], true],
  ['DoesNotExist', ['version'], false],
  ['In', ['green', 'blue'], true],
  ['NotIn', ['green'], false],
  ['NotIn', ['blue'], true],
])('a selector with %s %j takes in a green pod: %j', (operator, values, taken) => {
  const matchExpressions = [{ key: 'version', operator, values }];
  expect(selectsBy({ matchExpressions }, { version: 'green' })).toBe(taken);
});
