import { parseFile } from '../../src/catalog/parse.ts';
import { policiesIn } from '../../src/catalog/policies.ts';
import { readSystems } from '../../src/catalog/read-systems.ts';
import { toGateSpec } from '../../src/domain/gate.ts';

interface Parts {
  /** Members of the gate besides name, question and roles, in flow style. */
  gate?: string;
  people?: string[];
  /** Where the gate is. */
  at?: 'deployRelease' | 'restoreDatabase' | 'runbook' | 'changing-runbook';
}

const PEOPLE = ['{ name: ana, roles: [lead] }', '{ name: bob, roles: [lead, on-call] }', '{ name: vic, roles: [vp] }'];

function system({ gate = '', people = PEOPLE, at = 'deployRelease' }: Parts): string {
  const written = `{ name: lead, asks: Go?, roles: [lead]${gate ? `, ${gate}` : ''} }`;
  const inRunbook = at === 'runbook' || at === 'changing-runbook';
  return [
    'apiVersion: windlass/v1',
    'system: small',
    'description: A small system',
    'environments:',
    '  here: { cluster: { context: here }, namespace: small }',
    'services:',
    '  web: { workload: { name: web }, container: app, kubernetesService: web, port: 80, health: { path: /health } }',
    'channels:',
    '  ops: { kind: slack, url: "env:SLACK_URL" }',
    'people:',
    ...people.map((each) => `  - ${each}`),
    ...(inRunbook
      ? [
          'runbooks:',
          `  asks: { description: Asks, steps: [{ gate: ${written} }] }`,
          '  calls:',
          `    { description: Calls, changes: [${at === 'runbook' ? '' : 'service'}], steps: [{ runbook: asks }] }`,
        ]
      : ['policies:', `  ${at}: { gates: [${written}] }`]),
  ].join('\n');
}

const read = (parts: Parts) => readSystems([parseFile('small.yaml', system(parts))], []);
const faultsOf = (parts: Parts): string[] =>
  read(parts).problems.map((each) =>
    each.replace(/^small\.yaml:\d+:\d+: \S+?\.gates?\.(0\.)?|^small\.yaml:\d+:\d+: /, ''),
  );

test.each<[string, Parts]>([
  ['a second period', { gate: 'onExpiry: escalate, escalation: { roles: [vp] }' }],
  ['a confirmation that continues', { gate: 'kind: confirmation, onExpiry: continue, harmless: true' }],
  ['an approval that continues where nothing changes', { gate: 'onExpiry: continue, harmless: true', at: 'runbook' }],
  ['reminders', { gate: 'expiresAfter: 4h, remindEvery: 30m, notify: [ops]' }],
  ['a required comment', { gate: 'comment: required' }],
  ['a form', { gate: 'form: { properties: { ticket: { type: string, maxLength: 20 } }, required: [ticket] }' }],
  ['a break-glass', { gate: 'breakGlass: { roles: [on-call], notify: [ops] }' }],
  [
    'delegates with an end',
    { people: [...PEOPLE, '{ name: zoe, roles: [lead], delegates: [{ to: vic, roles: [lead], until: 2030-01-07T08:00:00+01:00 }] }'] }, // prettier-ignore
  ],
])('a gate may have %s', (_what, parts) => {
  expect(faultsOf(parts)).toEqual([]);
});

test('a gate is asked only in the environments that it names', () => {
  const { systems } = read({ gate: 'environments: [here]' });
  const { catalog } = systems.get('small')!;
  const gatesIn = (environment: string) => policiesIn(catalog.policies, environment).deployRelease.gates;
  expect(gatesIn('here').map(({ name }) => name)).toEqual(['lead']);
  expect(gatesIn('elsewhere')).toEqual([]);
  expect(toGateSpec(gatesIn('here')[0]!)).not.toHaveProperty('environments');
});

const CONTINUE = 'onExpiry: continue, harmless: true';
test.each<[string, Parts, string]>([
  [
    'silence that lets it go on',
    { gate: 'kind: confirmation, onExpiry: continue' },
    'onExpiry: expected "harmless: true" beside it: silence lets the procedure go on',
  ],
  [
    'silence that approves a release',
    { gate: CONTINUE },
    'onExpiry: expected rejected or escalate: silence approves no change (a confirmation may continue)',
  ],
  [
    'silence in a runbook that one calls that changes something',
    { gate: CONTINUE, at: 'changing-runbook' },
    'onExpiry: expected rejected or escalate: silence approves no change (a confirmation may continue)',
  ],
  [
    'silence that confirms a restore',
    { gate: `kind: confirmation, ${CONTINUE}`, at: 'restoreDatabase' },
    "onExpiry: expected rejected or escalate: nobody's silence replaces a database",
  ],
  [
    'harmless alone',
    { gate: 'harmless: true' },
    'harmless: expected "onExpiry: continue" beside it: it says nothing by itself',
  ],
  [
    'a second period for nobody',
    { gate: 'onExpiry: escalate' },
    'onExpiry: expected "escalation" beside it: nothing says to whom',
  ],
  [
    'an escalation at no time',
    { gate: 'escalation: { roles: [vp] }' },
    'escalation: expected "after", or "onExpiry: escalate": nothing says when',
  ],
  [
    'reminders that come too late',
    { gate: 'expiresAfter: 1h, remindEvery: 1h' },
    'remindEvery: expected a reminder before the gate expires',
  ],
  [
    'reminders without number',
    { gate: 'expiresAfter: 24h, remindEvery: 1m' },
    'remindEvery: expected at most 100 reminders until the gate expires',
  ],
  [
    'an environment that there is not',
    { gate: 'environments: [hre]' },
    'environments.0: no environment "hre"; did you mean "here"?',
  ],
  [
    'environments in a runbook, which has conditions',
    { gate: 'environments: [here]', at: 'runbook' },
    "environments: expected a condition: when: catalog.environment == '…'",
  ],
  ['a channel that there is not', { gate: 'notify: [opps]' }, 'notify.0: no channel "opps"; did you mean "ops"?'],
  [
    'a break-glass for nobody',
    { gate: 'breakGlass: { roles: [on-cal], notify: [ops] }' },
    'breakGlass.roles.0: no person with the role "on-cal"; did you mean "on-call"?',
  ],
  [
    'a silent break-glass',
    { gate: 'breakGlass: { roles: [on-call] }' },
    'breakGlass.notify: missing key "notify": expected a list',
  ],
  [
    'a required field that there is not',
    { gate: 'form: { properties: { ticket: { type: string } }, required: [tiket] }' },
    'form.required.0: no field "tiket"; did you mean "ticket"?',
  ],
  [
    'a field that nothing fits',
    { gate: 'form: { properties: { users: { type: integer, minimum: 5, maximum: 1 } } }' },
    'form.properties.users: expected bounds that something fits, got 5 to 1',
  ],
  [
    'a pattern, which could stop a workflow for ever',
    { gate: 'form: { properties: { ticket: { type: string, pattern: "(a+)+$" } } }' },
    'form.properties.ticket.pattern: unknown key "pattern"',
  ],
])('a gate is refused with %s', (_what, parts, fault) => {
  expect(faultsOf(parts)).toEqual([expect.stringContaining(fault)]);
});

const delegates = (of: string, to: string, rest = 'roles: [lead], until: 2030-01-07T08:00:00Z') =>
  `{ name: ${of}, roles: [lead], delegates: [{ to: ${to}, ${rest} }] }`;
test.each<[string, string[], string]>([
  [
    'to nobody',
    [delegates('ana', 'bobb'), '{ name: bob, roles: [lead] }'],
    'people.0.delegates.0.to: no person "bobb"; did you mean "bob"?',
  ],
  ['to oneself', [delegates('ana', 'ana')], 'people.0.delegates.0.to: expected somebody else'],
  [
    'of a role that the person has not',
    [delegates('ana', 'bob', 'roles: [vp], until: 2030-01-07T08:00:00Z'), '{ name: bob, roles: [lead] }'],
    'people.0.delegates.0.roles.0: no role of ana "vp"; there is: lead',
  ],
  [
    'without an end',
    [delegates('ana', 'bob', 'roles: [lead]'), '{ name: bob, roles: [lead] }'],
    'people.0.delegates.0.until: missing key "until": expected a text',
  ],
  [
    'until a day without an hour',
    [delegates('ana', 'bob', 'roles: [lead], until: 2030-01-07'), '{ name: bob, roles: [lead] }'],
    'expected a date with time and zone, such as 2030-01-07T08:00:00Z, got "2030-01-07"',
  ],
  [
    'over more than one hop',
    [delegates('ana', 'bob'), delegates('bob', 'cleo'), '{ name: cleo, roles: [dev] }'],
    'people.0.delegates.0.roles.0: expected no chain, got lead from ana to bob to cleo: name cleo here',
  ],
])('a delegation %s is refused', (_what, people, fault) => {
  expect(faultsOf({ people })).toEqual([expect.stringContaining(fault)]);
});

test('what the catalog says is what a procedure opens', () => {
  const gate =
    'onExpiry: escalate, escalation: { roles: [vp] }, expiresAfter: 2h, remindEvery: 30m, notify: [ops], comment: required, breakGlass: { roles: [on-call], notify: [ops], reviewWithin: 24h }';
  const { systems } = read({ gate });
  const [spec] = systems.get('small')!.catalog.policies.deployRelease.gates.map(toGateSpec);
  expect(spec).toEqual({
    ...{ name: 'lead', kind: 'approval', asks: 'Go?', roles: ['lead'], quorum: 1, fourEyes: true },
    ...{ expiresAfterMs: 7_200_000, remindEveryMs: 1_800_000, notify: ['ops'], comment: 'required' },
    ...{ onExpiry: 'escalate', escalation: { roles: ['vp'] } },
    breakGlass: { roles: ['on-call'], notify: ['ops'], reviewWithinMs: 86_400_000 },
  });
});
