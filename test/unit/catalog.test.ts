import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CatalogError } from '../../src/catalog/errors.ts';
import { schemaText } from '../../src/catalog/json-schema.ts';
import { loadCatalog } from '../../src/catalog/load.ts';
import { openCatalog } from '../../src/catalog/open.ts';
import { compileSlice } from '../../src/catalog/slice.ts';

const systems = new URL('../../systems', import.meta.url).pathname;
const overlay = (name: string) => new URL(`../support/overlays/${name}.yaml`, import.meta.url).pathname;

/** A small valid system, line by line; tests change a line and look for the fault there. */
const SMALL = [
  'apiVersion: windlass/v1',
  'system: small',
  'description: A small system',
  'environments:',
  '  here: { cluster: { context: here }, namespace: small, prometheus: "http://prometheus" }',
  'services:',
  '  web:',
  '    workload: { name: web }',
  '    container: app',
  '    kubernetesService: web',
  '    port: 80',
  '    health: { path: /health }',
  '    release:',
  '      soak: { duration: 20s, interval: 2s }',
  '    metrics:',
  '      - { name: errors, query: "rate(x{namespace=\\"$namespace\\"}[1m])", max: 1 }',
  'people:',
  '  - { name: ana, roles: [lead] }',
  'channels:',
  '  slack: { kind: slack, url: "env:SLACK_URL" }',
  'policies:',
  '  deployRelease:',
  '    gates:',
  '      - { name: lead, asks: Go?, roles: [lead] }',
  '    notify: [slack]',
];

function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'windlass-catalog-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** The faults of the small system after `from` became `to`, without the folder. */
async function faultsAfter(from: string, to: string): Promise<string[]> {
  const text = SMALL.join('\n');
  expect(text).toContain(from);
  const folder = folderWith({ 'small.yaml': text.replace(from, to) });
  return faultsOf(folder);
}

async function faultsOf(directory: string, overlays: string[] = []): Promise<string[]> {
  const error = await loadCatalog({ directory, overlays }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error === undefined) return [];
  expect(error).toBeInstanceOf(CatalogError);
  expect((error as CatalogError).type).toBe('CatalogInvalid');
  return (error as CatalogError).message.replaceAll(`${directory}/`, '').split('\n');
}

test('the small system has no fault, so that each fault below comes from the change', async () => {
  expect(await faultsOf(folderWith({ 'small.yaml': SMALL.join('\n') }))).toEqual([]);
});

test.each([
  [
    'an unknown key, with what was meant',
    'container: app',
    'contaner: app',
    [
      'small.yaml:7:3: services.web.container: missing key "container": expected a text',
      'small.yaml:9:5: services.web.contaner: unknown key "contaner"; did you mean "container"?',
    ],
  ],
  ['a wrong type', 'port: 80', 'port: "80"', ['small.yaml:11:11: services.web.port: expected a number, got "80"']],
  [
    'a number out of range',
    'port: 80',
    'port: 80000',
    ['small.yaml:11:11: services.web.port: expected number to be <=65535, got 80000'],
  ],
  [
    'a bad duration',
    'duration: 20s',
    'duration: 20',
    ['small.yaml:14:25: services.web.release.soak.duration: expected a text, got 20'],
  ],
  [
    'a duration without unit',
    'duration: 20s',
    'duration: "20"',
    ['small.yaml:14:25: services.web.release.soak.duration: expected a duration such as 90s, 10m, 24h or 7d, got "20"'],
  ],
  [
    'a value that is none of the allowed, with what was meant',
    'kind: slack',
    'kind: slak',
    [
      'small.yaml:20:18: channels.slack.kind: expected one of "slack"|"webhook"|"email"|"pagerduty"|"statuspage", got "slak"; did you mean "slack"?',
    ],
  ],
  ['a duplicate key', 'port: 80', 'port: 80\n    port: 81', ['small.yaml:12:5: Map keys must be unique']],
  [
    'broken YAML',
    'roles: [lead] }',
    'roles: [lead }',
    expect.arrayContaining([expect.stringMatching(/^small\.yaml:18:\d+: /)]),
  ],
  [
    'a role that nobody has',
    'Go?, roles: [lead]',
    'Go?, roles: [leed]',
    ['small.yaml:24:42: policies.deployRelease.gates.0.roles.0: no person with the role "leed"; did you mean "lead"?'],
  ],
  [
    'a quorum of more people than there are',
    'asks: Go?',
    'quorum: 2, asks: Go?',
    [
      'small.yaml:24:31: policies.deployRelease.gates.0.quorum: expected at most 1, as many as may decide this gate, got 2',
    ],
  ],
  [
    'a channel that there is not',
    'notify: [slack]',
    'notify: [pager]',
    ['small.yaml:25:14: policies.deployRelease.notify.0: no channel "pager"; there is: slack'],
  ],
  [
    'metrics without a Prometheus',
    ', prometheus: "http://prometheus"',
    '',
    [
      'small.yaml:5:3: environments.here.prometheus: missing key "prometheus": the metrics of service web are measured there',
    ],
  ],
  [
    'a placeholder that nothing fills',
    '$namespace',
    '$namespaces',
    [expect.stringContaining('got $namespaces; did you mean "namespace"?')],
  ],
  [
    'two colors of one name',
    'port: 80',
    'port: 80\n    color: { names: [blue, blue] }',
    ['small.yaml:12:21: services.web.color.names: expected two names, got "blue" twice'],
  ],
  [
    "a name that is not the file's",
    'system: small',
    'system: large',
    ['small.yaml:2:9: system: expected the name of the file, "small", got "large"'],
  ],
  [
    'a metric without bounds',
    ', max: 1',
    '',
    ['small.yaml:16:9: services.web.metrics.0: expected max or min, got a map'],
  ],
  [
    'an environment whose name is none',
    '  here: {',
    '  Here: {',
    [
      'small.yaml:5:3: environments.Here: expected lower-case letters, digits and dashes (at most 63), got the key "Here"',
    ],
  ],
  [
    'a task queue for a capability that is none',
    'namespace: small,',
    'namespace: small, taskQueues: { deploys: prod },',
    ['small.yaml:5:71: environments.here.taskQueues.deploys: unknown key "deploys"; did you mean "deploy"?'],
  ],
  [
    'a task queue for what stays with the workflows',
    'namespace: small,',
    'namespace: small, taskQueues: { core: prod },',
    [
      'small.yaml:5:71: environments.here.taskQueues.core: unknown key "core"; expected one of deploy, backup, operate, notify',
    ],
  ],
])('a fault says file, line, column, what was expected and what came: %s', async (_, from, to, expected) => {
  expect(await faultsAfter(from, to)).toEqual(expected);
});

test('a secret pasted where a reference belongs is not repeated in the fault', async () => {
  const faults = await faultsAfter('env:SLACK_URL', 'https://hooks.example.com/T0/B0/verysecret');
  expect(faults).toEqual([expect.stringMatching(/^small\.yaml:20:30: channels\.slack\.url: expected a reference/)]);
  expect(faults.join()).not.toContain('verysecret');
});

test('all faults of all files are listed, not the first', async () => {
  const broken = SMALL.join('\n').replace('port: 80', 'port: none').replace('duration: 20s', 'duration: soon');
  const faults = await faultsOf(folderWith({ 'small.yaml': broken, 'other.yaml': 'a: [' }));
  expect(faults).toHaveLength(3);
});

test('aliases that multiply are refused before they fill the memory', async () => {
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
  for (const [name, before] of ['ba', 'cb', 'dc', 'ed', 'fe'].map((pair) => [pair[0]!, pair[1]!])) {
    bomb.push(`${name}: &${name} [${Array(10).fill(`*${before}`).join(', ')}]`);
  }
  const faults = await faultsOf(folderWith({ 'bomb.yaml': bomb.join('\n') }));
  expect(faults).toEqual([expect.stringContaining('expected at most 100 aliases')]);
});

test('a folder that is not there, and one without files, are faults and not an empty catalog', async () => {
  expect(await faultsOf('/nowhere/at/all')).toEqual([
    expect.stringContaining('expected a folder of system files (ENOENT)'),
  ]);
  expect(await faultsOf(folderWith({}))).toEqual([expect.stringContaining('expected at least one <system>.yaml')]);
});

describe('an overlay', () => {
  const base = { 'small.yaml': SMALL.join('\n') };
  const withOverlay = (text: string) => {
    const folder = folderWith(base);
    const path = join(folderWith({ 'over.yaml': text }), 'over.yaml');
    return { directory: folder, overlays: [path] };
  };

  test('merges maps, replaces lists, removes what is null, and changes the digest', async () => {
    const plain = await loadCatalog({ directory: folderWith(base) });
    const { systems: changed } = await loadCatalog(
      withOverlay(
        'overlayOf: small\nservices:\n  web:\n    release: { soak: { duration: 5s } }\n    metrics: []\n' +
          'policies: { deployRelease: { notify: null } }\n',
      ),
    );
    const small = changed.get('small')!;
    expect(small.catalog.services['web']!.release.soak).toMatchObject({ duration: 5_000, interval: 2_000 });
    expect(small.catalog.services['web']!.metrics).toEqual([]);
    expect(small.catalog.policies.deployRelease.notify).toEqual([]);
    expect(small.catalog.policies.deployRelease.gates).toHaveLength(1);
    expect(small.digest).not.toBe(plain.systems.get('small')!.digest);
  });

  test('is named with its own line in a fault that it brought', async () => {
    const { directory, overlays } = withOverlay('overlayOf: small\nservices:\n  web:\n    port: none\n');
    expect(await faultsOf(directory, overlays)).toEqual([
      `${overlays[0]}:4:11: services.web.port: expected a number, got "none"`,
    ]);
  });

  test('of a system that there is not is a fault', async () => {
    const { directory, overlays } = withOverlay('overlayOf: smal\n');
    expect(await faultsOf(directory, overlays)).toEqual([
      `${overlays[0]}:1:12: expected overlayOf with one of small, got "smal"`,
    ]);
  });
});

const SHIPPED = ['agency-swarm', 'agent-hive', 'agent-lab', 'agent-system', 'ai-agents-platform', 'sandbox'];

describe('the shipped systems', () => {
  test('load, alone and with the overlays of the tests', async () => {
    expect([...(await loadCatalog({ directory: systems })).systems.keys()]).toEqual(SHIPPED);
    const overlays = ['sandbox-fast', 'agent-system-on-sandbox'].map(overlay);
    await expect(loadCatalog({ directory: systems, overlays })).resolves.toBeDefined();
  });

  test('have the agent system as its runbook says', async () => {
    const slice = compileSlice(await loadCatalog({ directory: systems }), {
      system: 'agent-system',
      environment: 'production',
      service: 'agent-system',
    });
    expect(slice.namespace).toBe('agent-system');
    expect(slice.spec).toMatchObject({
      workload: { name: 'agent-system' },
      kubernetesService: 'agent-system-service',
      color: { label: 'version', names: ['blue', 'green'] },
      health: { path: '/health', checks: ['database', 'redis', 'agents', 'external_apis'] },
    });
    expect(slice.spec.release.preDeployment!.timeout).toBe(300_000);
    expect(slice.spec.release.rolloutTimeout).toBe(600_000);
    expect(slice.spec.release.soak.duration).toBe(600_000);
    expect(slice.spec.release.retireAfter).toBe(86_400_000);
    expect(slice.policies.deployRelease.gates.map(({ name, kind }) => [name, kind])).toEqual([
      ['security', 'approval'],
      ['engineering-lead', 'approval'],
      ['devops-ready', 'confirmation'],
      ['window-confirmed', 'confirmation'],
    ]);
    const bounds = Object.fromEntries(slice.spec.metrics.map(({ name, min, max }) => [name, max ?? min]));
    expect(bounds).toEqual({
      'response-time': 500,
      'error-rate': 0.1,
      cpu: 80,
      memory: 85,
      disk: 90,
      'active-agents': 2,
    });
  });

  test('have a JSON Schema as the code has it (npm run schema)', () => {
    expect(readFileSync(join(systems, 'schema.json'), 'utf8')).toBe(schemaText());
  });

  // Namespace, thresholds, database and channel kinds of the four runbooks.
  test.each([
    [
      ['agent-hive', 'leanvibe-api'],
      ['production', { 'error-rate': 0.05, 'response-time-p95': 2, cpu: 85, memory: 90, 'database-connections': 90 }],
      { leanvibe: ['leanvibe_agent_hive', 'leanvibe-backups'] },
    ],
    [
      ['ai-agents-platform', 'agent'],
      [
        'ai-agents',
        { 'error-rate': 5, 'response-time': 10, 'response-time-p95': 5, cpu: 80, memory: 85, restarts: 0.1 },
      ],
      { agents: ['agents_db', 'ai-agents-backups'] },
    ],
    [
      ['agency-swarm', 'mcp'],
      ['archon', { 'error-rate': 5, memory: 90, 'response-time-p95': 2, cpu: 80 }],
      { archon: ['archon', 'your-backup-bucket'] },
    ],
    [['agent-lab', 'agent-lab'], ['agent-lab', { 'errors-over-baseline': 2, cpu: 90, memory: 90 }], {}],
  ])('have %j as its runbook says', async ([system, service], [namespace, bounds], databases) => {
    const catalog = await loadCatalog({ directory: systems });
    const ref = { system: system!, environment: 'production', service: service! };
    const slice = compileSlice(catalog, ref);
    expect(slice.namespace).toBe(namespace);
    expect(Object.fromEntries(slice.spec.metrics.map(({ name, max }) => [name, max]))).toEqual(bounds);
    const found = Object.entries(catalog.systems.get(system!)!.catalog.databases);
    expect(Object.fromEntries(found.map(([key, { name, backup }]) => [key, [name, backup?.store.bucket]]))).toEqual(
      databases,
    );
  });

  test.each(SHIPPED)('point editors at the schema: %s', (name) => {
    const [first] = readFileSync(join(systems, `${name}.yaml`), 'utf8').split('\n');
    expect(first).toBe('# yaml-language-server: $schema=schema.json');
  });
});

describe('a slice', () => {
  const small = () => loadCatalog({ directory: folderWith({ 'small.yaml': SMALL.join('\n') }) });
  const ref = { system: 'small', environment: 'here', service: 'web' };

  test.each([
    [{ system: 'smal' }, 'UnknownSystem', 'no system smal in the catalog; there is: small'],
    [{ environment: 'there' }, 'UnknownEnvironment', 'no environment there in system small; there is: here'],
    [{ service: 'constructor' }, 'UnknownService', 'no service constructor in system small; there is: web'],
  ])('of something unknown names what there is: %j', async (change, type, message) => {
    const catalog = await small();
    expect(() => compileSlice(catalog, { ...ref, ...change })).toThrow(expect.objectContaining({ type, message }));
  });

  test('has the task queues of its environment, where it has any', async () => {
    expect(compileSlice(await small(), ref)).not.toHaveProperty('taskQueues');
    const text = SMALL.join('\n').replace(
      'namespace: small,',
      'namespace: small, taskQueues: { deploy: here-deploy },',
    );
    const catalog = await loadCatalog({ directory: folderWith({ 'small.yaml': text }) });
    expect(compileSlice(catalog, ref).taskQueues).toEqual({ deploy: 'here-deploy' });
  });

  test('over 128 KiB is refused', async () => {
    const catalog = await small();
    catalog.systems.get('small')!.catalog.services['web']!.description = 'x'.repeat(128 * 1024);
    expect(() => compileSlice(catalog, ref)).toThrow(/expected at most 131072/);
  });

  test('carries no channel, and so no reference to a secret, into the history', async () => {
    expect(JSON.stringify(compileSlice(await small(), ref))).not.toContain('SLACK_URL');
  });
});

describe('the catalog of a running process', () => {
  test('follows an edit, and fails on a broken one instead of going on with the old', async () => {
    const folder = folderWith({ 'small.yaml': SMALL.join('\n') });
    const { current } = openCatalog({ directory: folder });
    const before = await current();
    expect(await current()).toBe(before);

    writeFileSync(join(folder, 'small.yaml'), SMALL.join('\n').replace('port: 80', 'port: 8080'));
    expect((await current()).systems.get('small')!.catalog.services['web']!.port).toBe(8080);

    writeFileSync(join(folder, 'small.yaml'), 'system: [');
    await expect(current()).rejects.toMatchObject({ type: 'CatalogInvalid' });
  });

  test('notices a new system', async () => {
    const folder = folderWith({ 'small.yaml': SMALL.join('\n') });
    const { current } = openCatalog({ directory: folder });
    await current();
    writeFileSync(join(folder, 'other.yaml'), SMALL.join('\n').replace('system: small', 'system: other'));
    expect([...(await current()).systems.keys()]).toEqual(['other', 'small']);
  });
});
