import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { parseAllDocuments, stringify } from 'yaml';
import { rulesOf } from '../../scripts/rbac.ts';
import { resolveBinaries } from '../../scripts/sandbox/binaries/index.ts';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { run } from '../../scripts/sandbox/run.ts';
import { parseDuration } from '../../src/domain/duration.ts';
import { readConfig } from '../../worker/config.ts';
import { apply, createTestNamespace, kubectl, type TestNamespace } from '../support/namespace.ts';
import { useServiceAccount } from '../support/service-account.ts';

// The Helm chart, rendered by Helm and judged by the real API server.
const CHART = new URL('../../deploy/helm/windlass', import.meta.url).pathname;
const RELEASE = `chart-${randomBytes(3).toString('hex')}`;
const FULL = `${RELEASE}-windlass`;
const folder = mkdtempSync(join(tmpdir(), 'windlass-chart-'));

interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string };
  rules?: object[];
  spec?: any; // eslint-disable-line @typescript-eslint/no-explicit-any
}

let helm: string;
let home: TestNamespace;
let shop: TestNamespace;
beforeAll(async () => {
  ({ helm } = await resolveBinaries(['helm']));
  home = await createTestNamespace({ bound: false });
  shop = await createTestNamespace({ bound: false });
}, 900_000);
afterAll(async () => {
  const ours = `app.kubernetes.io/instance=${RELEASE}`;
  await kubectl('delete', 'clusterrole,clusterrolebinding', '-l', ours);
  await Promise.all([home?.remove(), shop?.remove()]);
}, 60_000);

/** The least that somebody must say, beside what a test says. */
const least = () => ({
  catalog: { configMap: 'systems' },
  objectStore: { endpoint: 'https://s3.example.com', bucket: 'evidence', existingSecret: 'store' },
  namespaces: [shop.name],
});
const SPLIT = join(CHART, 'values-split.yaml');

function valuesFile(values: object): string {
  const file = join(folder, `${randomBytes(4).toString('hex')}.yaml`);
  writeFileSync(file, stringify(values));
  return file;
}
const flags = (...files: string[]) => files.flatMap((file) => ['--values', file]);

async function render(...files: string[]): Promise<Manifest[]> {
  const text = await run(helm, ['template', RELEASE, CHART, '--namespace', home.name, ...flags(...files)]);
  return parseAllDocuments(text).flatMap((each) => (each.contents ? [each.toJS() as Manifest] : []));
}
/** Split by capability, its namespaces those of the test. */
const renderSplit = () =>
  render(
    SPLIT,
    valuesFile({
      namespaces: [shop.name],
      workers: { backup: { readSecrets: [{ namespace: shop.name, names: ['postgres'] }] } },
    }),
  );

const deploymentsOf = (manifests: Manifest[]) => manifests.filter(({ kind }) => kind === 'Deployment');
const envOf = ({ spec }: Manifest): Record<string, string> =>
  Object.fromEntries(
    (spec.template.spec.containers[0].env as { name: string; value?: string }[]).map(({ name, value }) => [
      name,
      value ?? 'from a Secret',
    ]),
  );

async function expectAccepted(manifests: Manifest[]): Promise<void> {
  const { kubectl: binary, adminKubeconfig } = readEndpoints().kubernetes;
  const list = { apiVersion: 'v1', kind: 'List', items: manifests };
  const asked = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'];
  const answer = await run(binary, ['--kubeconfig', adminKubeconfig, ...asked], { input: JSON.stringify(list) });
  expect(answer.trim().split('\n')).toHaveLength(manifests.length);
}

test('Helm finds no fault, and the API server takes what comes of the least values', async () => {
  const values = valuesFile(least());
  await run(helm, ['lint', '--strict', CHART, ...flags(values)]);
  const manifests = await render(values);
  expect(deploymentsOf(manifests).map(({ metadata }) => metadata.name)).toEqual([`${FULL}-worker`]);
  await expectAccepted(manifests);
});

test('the example of split workers is taken too, with a worker per capability in place of the undivided one', async () => {
  await run(helm, ['lint', '--strict', CHART, ...flags(SPLIT)]);
  const manifests = await renderSplit();
  const names = ['backup', 'core', 'deploy', 'notify', 'operate'].map((each) => `${FULL}-${each}`);
  expect(
    deploymentsOf(manifests)
      .map(({ metadata }) => metadata.name)
      .sort(),
  ).toEqual(names);
  await expectAccepted(manifests);
});

test('everything at once is taken: servers, mTLS, an API key, another cluster, files of Secrets', async () => {
  const manifests = await render(
    valuesFile({
      ...least(),
      temporal: {
        ...{ address: 'temporal.example.com:7233', namespace: 'operations' },
        tls: { enabled: true, existingSecret: 'temporal-tls', mutual: true, serverName: 'temporal' },
        apiKey: { existingSecret: 'temporal', key: 'apiKey' },
      },
      kubeconfig: { existingSecret: 'clusters' },
      worker: {
        ...{ capabilities: ['core', 'deploy', 'backup', 'operate', 'notify'], taskQueue: 'windlass', replicas: 3 },
        ...{ nodes: true, alerts: { existingSecret: 'alerts', key: 'token' } },
        env: { WINDLASS_AUDIT_DATABASE: 'file:/etc/windlass/audit/url' },
        secretMounts: [{ secret: 'audit', path: '/etc/windlass/audit' }],
      },
      approvals: {
        ...{ enabled: true, url: 'https://approvals.example.com', replicas: 2 },
        oidc: { issuer: 'https://id.example.com', clientId: 'windlass' },
        env: { WINDLASS_STATEMENT_KEY: 'file:/etc/windlass/statements/key.pem' },
        secretMounts: [{ secret: 'statements', path: '/etc/windlass/statements' }],
      },
      codec: {
        ...{ enabled: true, origins: ['https://temporal.example.com'] },
        env: {
          WINDLASS_CODEC_TOKEN: 'file:/etc/windlass/codec/token',
          WINDLASS_PAYLOAD_KEYS: 'a=file:/etc/windlass/codec/a',
        },
        secretMounts: [{ secret: 'codec', path: '/etc/windlass/codec' }],
      },
    }),
  );
  expect(deploymentsOf(manifests)).toHaveLength(3);
  await expectAccepted(manifests);
});

test.each<[string, object, RegExp]>([
  ['no catalog', { catalog: { configMap: '' } }, /catalog: name the ConfigMap or the claim/],
  ['no object store', { objectStore: {} }, /objectStore\.(endpoint|bucket): where is evidence kept/],
  [
    'a capability that is none',
    { workers: { x: { capabilities: ['deploys'], taskQueue: 'q' } } },
    /value must be one of 'core', 'deploy', 'backup', 'operate', 'notify'/,
  ],
  ['a value that nothing reads', { replicas: 3 }, /replicas/],
  [
    'nodes for a worker that touches none',
    { workers: { x: { capabilities: ['deploy'], taskQueue: 'q', nodes: true } } },
    /workers\.x\.nodes: only a worker with the capability operate/,
  ],
  [
    'alerts for a worker that takes none',
    {
      workers: { x: { capabilities: ['deploy'], taskQueue: 'q', alerts: { existingSecret: 'alerts', key: 'token' } } },
    },
    /workers\.x\.alerts: only a worker with the capability core/,
  ],
])('what cannot work is refused by name: %s', async (_, change, message) => {
  await expect(render(valuesFile({ ...least(), ...change }))).rejects.toThrow(message);
});

test('a worker understands what it is given, has time to stop, and no right to more than its process', async () => {
  const secret = join(folder, 'secret');
  writeFileSync(secret, 'x');
  const undivided = await render(valuesFile(least()));
  for (const deployment of [...deploymentsOf(undivided), ...deploymentsOf(await renderSplit())]) {
    const env = envOf(deployment);
    const config = readConfig({
      ...env,
      ...('WINDLASS_S3_SECRET_KEY_FILE' in env ? { WINDLASS_S3_SECRET_KEY_FILE: secret } : {}),
    });
    expect(config.capabilities.join()).toBe(env['WINDLASS_CAPABILITIES']);
    const pod = deployment.spec.template.spec;
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(parseDuration(env['WINDLASS_SHUTDOWN_GRACE']!)!);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true });
    expect(pod.containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  }
});

test('a worker has the Secrets of its capability, and a token only where it asks a cluster', async () => {
  const byName = Object.fromEntries(
    deploymentsOf(await renderSplit()).map((each) => [each.metadata.name.slice(FULL.length + 1), each]),
  );
  const secretsOf = (name: string) =>
    [
      ...new Set(JSON.stringify(byName[name]!.spec).match(/windlass-(object-store|backup|notices|alerts)(?=")/g)),
    ].sort();
  expect(Object.fromEntries(Object.keys(byName).map((name) => [name, secretsOf(name)]))).toEqual({
    core: ['windlass-alerts', 'windlass-object-store'],
    deploy: ['windlass-object-store'],
    backup: ['windlass-backup'],
    operate: ['windlass-object-store'],
    notify: ['windlass-notices'],
  });
  const tokens = Object.entries(byName).filter(([, { spec }]) => spec.template.spec.automountServiceAccountToken);
  expect(tokens.map(([name]) => name).sort()).toEqual(['backup', 'deploy', 'operate']);
});

test('each ServiceAccount may do what its capability needs, in the namespaces named, and nothing else', async () => {
  const manifests = (await renderSplit()).filter(({ kind }) =>
    /^(ServiceAccount|(Cluster)?Role(Binding)?)$/.test(kind),
  );
  for (const name of ['deploy', 'backup', 'operate', 'nodes', 'cluster-identity'])
    expect(manifests.find(({ metadata }) => metadata.name === `${FULL}-${name}`)!).toBeDefined();
  for (const { kind, metadata, rules } of manifests)
    if (kind === 'ClusterRole') expect(rules).toEqual(rulesOf(metadata.name.slice(FULL.length + 1)));
  await apply(...manifests);

  const asked = {
    'patch services': ['backup', 'deploy', 'operate'],
    'create deployments.apps': ['deploy'],
    'delete deployments.apps': ['deploy'],
    'patch statefulsets.apps': ['backup', 'operate'],
    'delete pods': ['operate'],
    'create poddisruptionbudgets.policy': ['deploy'],
    'get secrets/postgres': ['backup'],
    'get secrets/other': [],
    'patch nodes': ['operate'],
    'create pods --subresource=eviction': ['operate'],
    'create deployments.apps --subresource=scale': [],
    'impersonate users': [],
    'create rolebindings.rbac.authorization.k8s.io': [],
  };
  const names = ['core', 'deploy', 'backup', 'operate', 'notify'];
  const accounts = await Promise.all(
    names.map(async (name) => ({ name, account: await useServiceAccount(home.name, `${FULL}-${name}`) })),
  );
  for (const [what, expected] of Object.entries(asked)) {
    const may = await Promise.all(accounts.map(({ account }) => account.may(what, shop.name)));
    expect([what, names.filter((_, index) => may[index]).sort()]).toEqual([what, expected]);
  }
  // Nodes apart, which are in no namespace, nothing is allowed where nobody said so.
  for (const { account } of accounts)
    for (const what of ['patch services', 'patch statefulsets.apps', 'get secrets/postgres', 'delete pods'])
      expect([what, await account.may(what, home.name)]).toEqual([what, false]);
}, 180_000);
