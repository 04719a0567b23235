import type { ServiceSlice, Target } from '../../src/contracts/catalog.ts';
import { systemSchema } from '../../src/contracts/catalog.ts';
import type { LiveDeployment, LiveService, ReleaseRecord } from '../../src/domain/release/state.ts';

/** A Deployment as it would be read from a cluster; tables change what they are about. */
export const deployment = (over: Partial<LiveDeployment> = {}): LiveDeployment => ({
  name: 'shop',
  uid: 'uid-shop',
  image: 'registry.example.com/shop:v1',
  replicas: 3,
  readyReplicas: 3,
  podLabels: { app: 'shop' },
  selectorLabels: { app: 'shop' },
  templateHash: 'aaa',
  imageIds: ['registry.example.com/shop@sha256:1'],
  hasPersistentVolumeOnce: false,
  hasHostPort: false,
  drains: true,
  templateManagers: ['kubectl'],
  fence: 0,
  ...over,
});

/** The color `blue` or `green` as a release made it. */
export const color = (name: 'blue' | 'green', version: string, over: Partial<LiveDeployment> = {}): LiveDeployment =>
  deployment({
    name: `shop-${name}`,
    uid: `uid-${name}`,
    image: `registry.example.com/shop:${version}`,
    podLabels: { app: 'shop', version: name },
    selectorLabels: { app: 'shop', version: name },
    templateHash: name,
    createdBy: `deploy/${version}`,
    ...over,
  });

/** A Service as adopted from plain `kubectl apply`: it selects by application only. */
export const live = (over: Partial<LiveService> = {}): LiveService => ({
  clusterUid: 'cluster-1',
  namespace: 'shop',
  name: 'shop',
  uid: 'uid-service',
  selector: { app: 'shop' },
  fence: 0,
  releases: [],
  deployments: [deployment()],
  readyEndpoints: { shop: 3 },
  selectorManagers: ['kubectl'],
  quota: [],
  ...over,
});

export const record = (version: string, on: string, over: Partial<ReleaseRecord> = {}): ReleaseRecord => ({
  version,
  image: `registry.example.com/shop:${version}`,
  deployment: on,
  selector: { app: 'shop', version: on.replace('shop-', '') },
  outcome: 'good',
  at: '2026-01-01T00:00:00.000Z',
  workflowId: `deploy/${version}`,
  ...over,
});

/** A slice of a small system, with the catalog's defaults filled in. */
export function slice(over: Partial<ServiceSlice['spec']> = {}): ServiceSlice {
  const catalog = systemSchema.parse({
    apiVersion: 'windlass/v1',
    system: 'test',
    description: 'A system for tables',
    environments: { local: { cluster: { context: 'local' }, namespace: 'shop' } },
    services: {
      shop: {
        workload: { name: 'shop' },
        container: 'app',
        kubernetesService: 'shop',
        port: 80,
        health: { path: '/health' },
      },
    },
    people: [{ name: 'ana', roles: ['lead'] }],
    policies: { deployRelease: { gates: [{ name: 'lead', asks: 'Go?', roles: ['lead'] }] } },
  });
  return {
    digest: 'sha256:0',
    system: 'test',
    environment: 'local',
    service: 'shop',
    cluster: { context: 'local' },
    namespace: 'shop',
    production: false,
    spec: { ...catalog.services.shop!, ...over },
    people: catalog.people,
    policies: catalog.policies,
  };
}

export const target: Target = {
  system: 'test',
  environment: 'local',
  service: 'shop',
  context: 'local',
  namespace: 'shop',
  kubernetesService: 'shop',
};
