import { readSystems } from '../../src/catalog/read-systems.ts';
import { parseFile } from '../../src/catalog/parse.ts';

/** A small system; the runbooks of a test follow, from line 20 on. */
const SYSTEM = `apiVersion: windlass/v1
system: small
description: A small system
environments:
  here: { cluster: { context: here }, namespace: small }
services:
  web:
    workload: { name: web }
    container: app
    kubernetesService: web
    port: 80
    health: { path: /health }
databases:
  main:
    name: main
    servers: { here: { host: localhost, user: admin, password: "env:PASSWORD" } }
people:
  - { name: ana, roles: [lead] }
runbooks:
`;

const faultsOf = (runbooks: string): string[] => {
  const indented = runbooks.replaceAll(/^(?=.)/gm, '  ');
  return readSystems([parseFile('small.yaml', SYSTEM + indented)], []).problems;
};

/** The faults of a runbook that changes the service and has these steps, the first of them on line 25. */
const faultsIn = (steps: string): string[] =>
  faultsOf(`main:
  description: For a test
  changes: [service]
  parameters: { replicas: { type: int, description: how many }, tag: { description: which } }
  steps:
${steps.replaceAll(/^(?=.)/gm, '    ')}
`);

const scale = (rest = '', replicas = '3') =>
  `{ action: scaleWorkload, with: { name: web, replicas: ${replicas} }${rest} }`;

test('a runbook with every kind of step is valid', () => {
  expect(
    faultsOf(`main:
  description: Everything
  changes: [service, database/main]
  parameters:
    replicas: { type: int, default: 3, description: how many }
  steps:
    - name: up
      when: parameters.replicas > 1 && alert.labels.severity != 'info'
      action: scaleWorkload
      with: { name: 'web', replicas: '\${parameters.replicas}' }
      undo: own
      undoWhen: end
    - gate: { name: go, asks: 'Were \${steps.up.output.before} too few?', roles: [lead] }
    - wait: 30s
    - parallel:
        - ${scale(', undo: { action: scaleWorkload, with: { name: web, replicas: 1 } }')}
        - { name: other, runbook: other, with: { name: '\${catalog.service}' } }
other:
  description: Another
  parameters: { name: { description: a name }, slowly: { type: bool, default: true, description: how } }
  steps: [{ when: parameters.slowly, wait: 1m }]
`),
  ).toEqual([]);
});

test.each<[string, string, string[]]>([
  [
    'an unknown action',
    '- { action: scaleWorklod, with: { name: web } }',
    ['small.yaml:25:19: runbooks.main.steps.0.action: no action "scaleWorklod"; did you mean "scaleWorkload"?'],
  ],
  [
    'a wrong parameter',
    '- { action: scaleWorkload, with: { name: web, replicas: many } }',
    ['small.yaml:25:63: runbooks.main.steps.0.with.replicas: expected a number, got "many"'],
  ],
  [
    'an unknown parameter beside a template',
    `- { action: scaleWorkload, with: { name: web, replica: '\${parameters.replicas}', replicas: 2 } }`,
    ['small.yaml:25:53: runbooks.main.steps.0.with.replica: unknown key "replica"; did you mean "replicas"?'],
  ],
  [
    'a missing parameter',
    '- { action: scaleWorkload, with: { name: web } }',
    ['small.yaml:25:34: runbooks.main.steps.0.with.replicas: missing key "replicas": expected a number'],
  ],
  ['a template for a scalar', `- ${scale('', "'${parameters.replicas + 1}'")}`, []],
  [
    'a template that does not parse',
    `- ${scale('', "'${parameters.replicas +}'")}`,
    ['small.yaml:25:63: runbooks.main.steps.0.with.replicas: Unexpected token: EOF'],
  ],
  [
    'a template that is not closed',
    `- ${scale('', "'${parameters.replicas'")}`,
    [
      'small.yaml:25:63: runbooks.main.steps.0.with.replicas: expected a } after ${parameters.replicas; write $${ for the characters',
    ],
  ],
  [
    'an expression of a type that does not fit',
    `- ${scale(", when: 'parameters.tag > 3'")}`,
    ['small.yaml:25:74: runbooks.main.steps.0.when: no such overload: string > int'],
  ],
  [
    'an expression over its budget',
    `- ${scale(`, when: 'parameters.tag.split(",").all(a, a.split(".").all(b, b != a))'`)}`,
    [
      expect.stringMatching(
        /^small.yaml:25:74: runbooks.main.steps.0.when: it costs \d+ steps .* a list inside a list/,
      ) as never,
    ],
  ],
  [
    'a regular expression',
    `- ${scale(', when: \'parameters.tag.matches("a+")\'')}`,
    [expect.stringContaining('small.yaml:25:74: runbooks.main.steps.0.when: "matches" may not be used') as never],
  ],
  [
    'a condition that is no bool',
    `- ${scale(', when: parameters.replicas')}`,
    ['small.yaml:25:74: runbooks.main.steps.0.when: expected true or false, got an expression of type int'],
  ],
  [
    'a reference to a step that does not exist',
    `- ${scale(', name: look')}\n- ${scale(", when: 'steps.lok.output.after > 1'")}`,
    ['small.yaml:26:74: runbooks.main.steps.1.when: no earlier step "lok"; did you mean "look"?'],
  ],
  [
    'a reference to a step that comes later',
    `- ${scale(", when: 'steps.look.output.after > 1'")}\n- ${scale(', name: look')}`,
    ['small.yaml:25:74: runbooks.main.steps.0.when: step "look" is not done yet when this is evaluated'],
  ],
  [
    'a reference to a step beside it',
    `- parallel:\n    - ${scale(', name: look')}\n    - ${scale('', "'${steps.look.output.after}'")}`,
    [
      'small.yaml:27:67: runbooks.main.steps.0.parallel.1.with.replicas: step "look" is not done yet when this is evaluated',
    ],
  ],
  [
    'a field that an output does not have',
    `- ${scale(', name: look')}\n- ${scale(", when: 'steps.look.output.afterwards > 1'")}`,
    ['small.yaml:26:74: runbooks.main.steps.1.when: No such key: afterwards'],
  ],
  [
    'a name twice',
    `- ${scale(', name: it')}\n- parallel: [{ name: it, wait: 1s }, { wait: 2s }]`,
    ['small.yaml:26:28: runbooks.main.steps.1.parallel.0.name: expected distinct names, got the step "it" twice'],
  ],
  [
    'a step of no kind',
    '- { name: what, acton: scaleWorkload }',
    [
      'small.yaml:25:9: runbooks.main.steps.0: expected exactly one of action, gate, wait, until, runbook, parallel, got name, acton; did you mean "action"?',
    ],
  ],
  [
    'a step of two kinds',
    '- { wait: 1s, gate: { name: a, asks: A?, roles: [lead] } }',
    [
      'small.yaml:25:9: runbooks.main.steps.0: expected exactly one of action, gate, wait, until, runbook, parallel, got gate and wait',
    ],
  ],
  [
    'a parallel step within a parallel one',
    '- parallel: [{ wait: 1s }, { parallel: [{ wait: 1s }, { wait: 1s }] }]',
    [
      'small.yaml:25:34: runbooks.main.steps.0.parallel.1: expected exactly one of action, gate, wait, until, runbook, got parallel',
    ],
  ],
  [
    'a wrong key of a step of a known kind',
    '- { wait: 1s, untill: 3 }',
    [expect.stringContaining('small.yaml:25:21: runbooks.main.steps.0.untill: unknown key "untill"') as never],
  ],
  [
    'a duration without a unit',
    '- { wait: 10 }',
    ['small.yaml:25:17: runbooks.main.steps.0.wait: expected a text, got 10'],
  ],
  [
    'its own way back of a step that is no action',
    '- { wait: 1s, undo: own }',
    [
      'small.yaml:25:27: runbooks.main.steps.0.undo: expected an action to take it back with: only an action has its own',
    ],
  ],
  [
    'a time for a way back that there is none of',
    '- { wait: 1s, undoWhen: end }',
    ['small.yaml:25:31: runbooks.main.steps.0.undoWhen: expected "undo" beside it: nothing says how'],
  ],
  [
    'a way back with a wrong parameter',
    `- ${scale(', undo: { action: scaleWorkload, with: { name: web, replicas: -1 } }')}`,
    [expect.stringContaining('small.yaml:25:128: runbooks.main.steps.0.undo.with.replicas: ') as never],
  ],
  [
    'a gate for roles that nobody has',
    '- { gate: { name: a, asks: A?, roles: [leed] } }',
    ['small.yaml:25:46: runbooks.main.steps.0.gate.roles.0: no person with the role "leed"; did you mean "lead"?'],
  ],
  [
    'an unknown runbook',
    '- { runbook: min }',
    ['small.yaml:25:20: runbooks.main.steps.0.runbook: no runbook "min"; did you mean "main"?'],
  ],
  [
    'a runbook that calls itself',
    '- { runbook: main, with: { replicas: 1, tag: a } }',
    ['small.yaml:25:20: runbooks.main.steps.0.runbook: expected runbooks that end: main calls main again'],
  ],
])('%s is found where it stands', (_what, steps, faults) => {
  expect(faultsIn(steps)).toEqual(faults);
});

test('until looks again and again, so its action changes nothing, and its times fit each other', () => {
  const until =
    '{ action: scaleWorkload, with: { name: web, replicas: 1 }, is: output.after, within: 1m, every: 2m, holdsFor: 3m }';
  expect(faultsIn(`- until: ${until}`)).toEqual([
    'small.yaml:25:79: runbooks.main.steps.0.until.is: expected true or false, got an expression of type int',
    'small.yaml:25:26: runbooks.main.steps.0.until.action: expected an action that only looks: scaleWorkload would change something at every look',
    'small.yaml:25:112: runbooks.main.steps.0.until.every: expected an interval shorter than the deadline',
    'small.yaml:25:126: runbooks.main.steps.0.until.holdsFor: expected a hold time shorter than the deadline',
  ]);
});

test('a runbook that changes something says what', () => {
  expect(faultsOf(`main: { description: Secretly, steps: [${scale()}] }\n`)).toEqual([
    'small.yaml:20:52: runbooks.main.steps.0.action: scaleWorkload changes something: expected the runbook to say under "changes" what it covers (service, or database/<name>)',
  ]);
});

test('a runbook that only tells people needs to say nothing of the sort', () => {
  expect(
    faultsOf("main: { description: Tells, steps: [{ action: tell, with: { channels: [ops], text: 'Hello' } }] }\n"),
  ).toEqual([]);
});

test('what a runbook changes is there', () => {
  expect(faultsOf('main: { description: Far, changes: [database/mian, wep, web], steps: [{ wait: 1s }] }\n')).toEqual([
    'small.yaml:20:39: runbooks.main.changes.0: no database "mian"; there is: main',
    'small.yaml:20:54: runbooks.main.changes.1: no service "wep"; did you mean "web"?',
  ]);
});

test('runbooks that call each other in a circle are found in each', () => {
  expect(
    faultsOf(`one: { description: One, steps: [{ runbook: two }] }
two: { description: Two, steps: [{ runbook: one }] }
`),
  ).toEqual([
    'small.yaml:20:47: runbooks.one.steps.0.runbook: expected runbooks that end: two calls one again',
    'small.yaml:21:47: runbooks.two.steps.0.runbook: expected runbooks that end: one calls two again',
  ]);
});

test('runbooks call each other five deep, and no deeper', () => {
  const chain = (depth: number): string =>
    Array.from({ length: depth }, (_, index) =>
      index === depth - 1
        ? `r${index}: { description: Last, steps: [{ wait: 1s }] }\n`
        : `r${index}: { description: Calls, steps: [{ runbook: r${index + 1} }] }\n`,
    ).join('');
  expect(faultsOf(chain(5))).toEqual([]);
  expect(faultsOf(chain(6))).toEqual([
    'small.yaml:20:3: runbooks.r0: expected runbooks to call each other at most 5 deep, got 6',
  ]);
});

test('a called runbook gets its parameters, no others, and of their types', () => {
  expect(
    faultsOf(`main:
  description: Calls
  steps:
    - { runbook: other, with: { cuont: 1 } }
    - { runbook: other, with: { count: some } }
    - { runbook: other, with: { count: '\${1 + 1}' } }
other: { description: Other, parameters: { count: { type: int, description: how many } }, steps: [{ wait: 1s }] }
`),
  ).toEqual([
    'small.yaml:23:35: runbooks.main.steps.0.with.cuont: no parameter "cuont"; there is: count',
    'small.yaml:23:20: runbooks.main.steps.0.runbook: other: missing parameter count (a whole number): how many',
    'small.yaml:24:20: runbooks.main.steps.1.runbook: other: parameter count: expected a whole number, got "some"',
  ]);
});

test('a default is of the type of its parameter', () => {
  expect(
    faultsOf(
      "main: { description: D, parameters: { count: { type: int, default: '3', description: many } }, steps: [{ wait: 1s }] }\n",
    ),
  ).toEqual(['small.yaml:20:70: runbooks.main.parameters.count.default: expected a default of type int']);
});
