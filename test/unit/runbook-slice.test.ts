import { parseFile } from '../../src/catalog/parse.ts';
import { readSystems } from '../../src/catalog/read-systems.ts';
import { compileRunbook, type RunbookRequest } from '../../src/catalog/runbook-slice.ts';

const { systems, problems } = readSystems(
  [
    parseFile(
      'small.yaml',
      `apiVersion: windlass/v1
system: small
description: A small system
environments:
  here: { cluster: { context: here }, namespace: small }
  there: { cluster: { context: there }, namespace: small }
services:
  web:
    workload: { name: web }
    container: app
    kubernetesService: web
    port: 80
    health: { path: /health }
databases:
  main: { name: main, servers: { here: { host: localhost, user: admin, password: "env:PASSWORD" } } }
people: [{ name: ana, roles: [lead] }]
channels: { slack: { kind: slack, url: "env:SLACK_URL" } }
policies: { runRunbook: { notify: [slack] } }
runbooks:
  scale:
    description: Scales
    changes: [service]
    parameters: { replicas: { type: int, description: how many } }
    steps:
      - { name: up, action: scaleWorkload, with: { name: web, replicas: '\${parameters.replicas}' } }
  all: { description: All, steps: [{ runbook: scale, with: { replicas: 2 } }] }
  look: { description: Looks, steps: [{ wait: 1s }] }
`,
    ),
  ],
  [],
);
const REQUEST: RunbookRequest = {
  system: 'small',
  environment: 'here',
  runbook: 'scale',
  service: 'web',
  parameters: {},
};
const compile = (over: Partial<RunbookRequest>) => compileRunbook({ systems }, { ...REQUEST, ...over });

test('the system of these tests is valid', () => {
  expect(problems).toEqual([]);
});

test('a run gets the runbooks that it reaches, its parameters, what is in its environment, and whom to tell', () => {
  const slice = compile({ runbook: 'all' });
  expect(Object.keys(slice.runbooks)).toEqual(['all', 'scale']);
  expect(slice).toMatchObject({
    environment: 'here',
    namespace: 'small',
    service: { service: 'web', spec: { kubernetesService: 'web' } },
    notify: ['slack'],
    actions: {
      scaleWorkload: { changes: true, convergent: true, output: { fields: { before: 'int', after: 'int' } } },
    },
  });
  expect(Object.keys(slice.databases)).toEqual(['main']);
  expect(compile({ environment: 'there', parameters: { replicas: '4' } })).toMatchObject({
    parameters: { replicas: 4 },
    databases: {},
  });
});

test('types of outputs are there for the actions that the runbook names, and for no others', () => {
  expect(compile({ runbook: 'look' }).actions['scaleWorkload']).not.toHaveProperty('output');
});

test.each<[string, Partial<RunbookRequest>, string, RegExp]>([
  [
    'an unknown runbook',
    { runbook: 'scael' },
    'UnknownRunbook',
    /no runbook scael in system small; there is: all, look, scale/,
  ],
  ['an unknown service', { service: 'wep' }, 'UnknownService', /no service wep in system small; there is: web/],
  ['an unknown environment', { environment: 'nowhere' }, 'UnknownEnvironment', /there is: here, there/],
  [
    'a missing parameter',
    {},
    'InvalidInput',
    /scale cannot start: missing parameter replicas \(a whole number\): how many/,
  ],
])('%s is refused by name', (_what, over, type, message) => {
  expect(() => compile(over)).toThrow(
    expect.objectContaining({ type, message: expect.stringMatching(message) as string }),
  );
});

test('a runbook that changes a service is refused without one, also when only a called one does', () => {
  const { service: _, ...without } = REQUEST;
  for (const runbook of ['scale', 'all']) {
    expect(() => compileRunbook({ systems }, { ...without, runbook })).toThrow(/expected "service" to name it/);
  }
  expect(compileRunbook({ systems }, { ...without, runbook: 'look' })).not.toHaveProperty('service');
});
