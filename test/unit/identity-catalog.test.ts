import { parseFile } from '../../src/catalog/parse.ts';
import { readSystems } from '../../src/catalog/read-systems.ts';
import { compileEnvironment } from '../../src/catalog/slice.ts';
import type { TokenIdentity } from '../../src/contracts/identity.ts';
import { identifyPerson } from '../../src/domain/identify.ts';

const ISSUER = 'https://id.example.com';
const IDENTITY = `{ issuers: [{ issuer: '${ISSUER}', audience: windlass }], groups: { sre: [operator] } }`;
const PEOPLE = [
  '{ name: ana, roles: [lead], identity: { email: Ana@Example.com } }',
  "{ name: bob, roles: [lead], identity: { subject: '4711' } }",
  '{ name: vic@example.com, roles: [vp] }',
  '{ name: robot, roles: [lead], service: true, identity: { subject: deployer } }',
];

interface Parts {
  identity?: string;
  people?: string[];
  /** Members of the environment. */
  here?: string;
  gate?: string;
}

function system({ identity = IDENTITY, people = PEOPLE, here = '', gate = '' }: Parts): string {
  return [
    'apiVersion: windlass/v1',
    'system: small',
    'description: A small system',
    'environments:',
    `  here: { cluster: { context: here }, namespace: small${here} }`,
    'services:',
    '  web: { workload: { name: web }, container: app, kubernetesService: web, port: 80, health: { path: /health } }',
    'people:',
    ...people.map((each) => `  - ${each}`),
    ...(identity ? [`identity: ${identity}`] : []),
    'policies:',
    `  deployRelease: { gates: [{ name: lead, asks: Go?, roles: [lead]${gate} }] }`,
  ].join('\n');
}
const read = (parts: Parts) => readSystems([parseFile('small.yaml', system(parts))], []);
const policyOf = (parts: Parts) => {
  const { systems, problems } = read(parts);
  expect(problems).toEqual([]);
  return compileEnvironment({ systems }, { system: 'small', environment: 'here' }).environment;
};

test.each<[string, string | undefined, Parts]>([
  ['production of a system with a provider', 'verified', {}],
  ['where there is no provider', undefined, { identity: '', people: ['{ name: ana, roles: [lead] }'] }],
  ['where it is no production', undefined, { here: ', production: false' }],
  ['as the environment says', 'verified', { here: ', production: false, identity: verified' }],
  ['as the environment says', 'declared', { here: ', identity: declared' }],
])('whose word decides: %s: %s', (_, policy, parts) => {
  expect(policyOf(parts).identity).toBe(policy);
});

test('who people are for the provider enters no history', () => {
  expect(JSON.stringify(policyOf({}))).not.toMatch(/4711|ana@example/i);
});

const oneOf = (people: string) => ({ people: [PEOPLE[0]!, people] });
test.each<[string, Parts]>([
  ['nobody could prove who they are', { identity: '', here: ', identity: verified' }],
  [
    'nobody could prove who they are',
    { identity: '', people: ['{ name: ana, roles: [lead] }'], gate: ', identity: verified' },
  ],
  ['nobody could prove who they are', { identity: '' }],
  ['expected https', { identity: "{ issuers: [{ issuer: 'http://id.example.com', audience: windlass }] }" }],
  [
    'expected subject or email',
    oneOf("{ name: bob, roles: [lead], identity: { subject: '1', email: b@example.com } }"),
  ],
  ['somebody else than ana', oneOf('{ name: bob, roles: [lead], identity: { email: ana@example.com } }')],
  [
    'no issuer "https://other"',
    oneOf("{ name: bob, roles: [lead], identity: { issuer: 'https://other', subject: '1' } }"),
  ],
  ['"identity" with "subject"', oneOf('{ name: bot, roles: [lead], service: true }')],
  [
    'there are several',
    {
      identity: `{ issuers: [{ issuer: '${ISSUER}', audience: w }, { issuer: 'https://two.example.com', audience: w }] }`,
    },
  ],
  ['expected at most 1', { people: [PEOPLE[0]!, PEOPLE[3]!], gate: ', quorum: 2' }],
  ['HS256', { identity: `{ issuers: [{ issuer: '${ISSUER}', audience: windlass, algorithms: [HS256] }] }` }],
])('a fault is named with its place: %s', (fault, parts) => {
  const { problems } = read(parts);
  expect(problems.join('\n')).toContain(fault === 'HS256' ? 'algorithms' : fault);
  expect(problems[0]).toMatch(/^small\.yaml:\d+:\d+: /);
});

const token: TokenIdentity = { issuer: ISSUER, audience: 'windlass', subject: '1', groups: [] };
const catalogOf = (parts: Parts = {}) => read(parts).systems.get('small')!.catalog;
test.each<[string, Partial<TokenIdentity>, object | undefined]>([
  ['by address', { email: 'ana@example.com' }, { name: 'ana', how: 'oidc', granted: [] }],
  ['by subject', { subject: '4711' }, { name: 'bob', how: 'oidc', granted: [] }],
  [
    'by a name that is the address',
    { email: 'vic@example.com' },
    { name: 'vic@example.com', how: 'oidc', granted: [] },
  ],
  ['a service', { subject: 'deployer' }, { name: 'robot', how: 'service', granted: [] }],
  [
    'with the roles of groups',
    { subject: '4711', groups: ['sre', 'constructor'] },
    { name: 'bob', how: 'oidc', granted: ['operator'] },
  ],
  ['a stranger', { email: 'eve@example.com' }, undefined],
  ['another issuer', { issuer: 'https://evil.example.com', subject: '4711' }, undefined],
  ['another audience', { audience: 'shop', subject: '4711' }, undefined],
])('who somebody is: %s', (_, over, expected) => {
  expect(identifyPerson({ ...token, ...over }, catalogOf())).toEqual(expected);
});

test('a system without a provider takes tokens of the server itself only', () => {
  const catalog = catalogOf({ identity: '', people: ['{ name: ana@example.com, roles: [lead] }'] });
  const ana = { ...token, email: 'ana@example.com' };
  expect(identifyPerson(ana, catalog, ISSUER)).toMatchObject({ name: 'ana@example.com' });
  expect(identifyPerson(ana, catalog, 'https://id.other.com')).toBeUndefined();
  expect(identifyPerson(ana, catalog)).toBeUndefined();
});
