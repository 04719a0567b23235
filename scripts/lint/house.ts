// The arrows of the house: for each room (a folder of the repository), what its files may import.
// An entry is a room or a file of one, the name of a package, or one of the group names below.
// ESLint enforces the table with the rule `house/arrows` (arrows.ts); a folder missing here is reported, so that
// a new room starts with a decision about what it may know.

/** Every builtin of Node (`node:fs`, `node:crypto`, …). */
export const NODE = 'node:*';
/** Every npm package that is not a vendor SDK. */
export const ORDINARY = 'any ordinary package';
/** Every package that talks to somebody else's service. */
export const VENDOR = 'any vendor SDK';

/** Packages that talk to somebody else's service: their errors, retries and quirks end at the adapters. */
export const VENDOR_SDKS = [
  /^@kubernetes\//,
  /^@aws-sdk\//,
  /^@smithy\//,
  /^@slack\//,
  /^@temporalio\/client$/,
  /^pg($|-)/,
  /^@redis\//,
  /^undici$/,
];

export interface Room {
  /** What its files may import. */
  imports: string[];
  /** What they may import with `import type`, besides: it leaves no trace at run time. */
  types?: string[];
  /** What the room is for; the end of every complaint about it. */
  rule: string;
}

const PURE = ['src/contracts', 'src/domain'];
const CODE = [
  ...PURE,
  'src/audit',
  'src/calendar',
  'src/expressions',
  'src/actions',
  'src/catalog',
  'src/adapters',
  'src/server',
  'src/cli',
  'activities',
  'workflows',
];

export const HOUSE: Record<string, Room> = {
  'src/contracts': {
    imports: [...PURE, 'zod'],
    rule: 'contracts are shapes: zod and pure functions of src/domain, no I/O',
  },
  'src/domain': {
    imports: ['src/domain'],
    types: ['src/contracts'],
    rule: 'domain decides in pure functions: types of src/contracts, no package, no I/O',
  },
  'src/audit': {
    imports: [...PURE, 'src/audit', 'node:crypto', 'canonicalize'],
    rule: 'the audit decides in pure functions, but hashes with node:crypto: no workflow imports it',
  },
  'src/calendar': {
    imports: [...PURE, 'src/calendar', '@js-temporal/polyfill'],
    rule: 'the calendar decides in pure functions, but by the time zones of its machine: no workflow imports it',
  },
  'src/expressions': {
    imports: [...PURE, 'src/expressions', '@marcbachmann/cel-js'],
    rule: 'expressions are evaluated in workflows: the CEL library, pure functions, no I/O',
  },
  'src/actions': {
    imports: [...PURE, 'src/actions', 'src/adapters/failure', 'src/adapters/kubernetes/json-patch', 'zod'],
    types: ['src/adapters'],
    rule: 'an action says what it does with what its context gives it; it opens no connection of its own',
  },
  'src/catalog': {
    imports: [...PURE, 'src/actions', 'src/calendar', 'src/catalog', 'src/expressions', NODE, ORDINARY, 'package.json'],
    rule: 'the catalog reads and validates files: it calls no adapter and no vendor SDK',
  },
  'src/adapters': {
    imports: [...PURE, 'src/adapters', 'src/audit', NODE, ORDINARY, VENDOR, 'package.json'],
    types: ['src/catalog'],
    rule: 'adapters wrap one vendor each and know nothing of procedures',
  },
  'src/server': {
    imports: [...PURE, 'src/catalog', 'src/adapters', 'src/server', NODE, ORDINARY, 'package.json'],
    types: ['@temporalio/client'],
    rule: 'the server reaches vendors through src/adapters only',
  },
  'src/cli': {
    imports: [
      ...PURE,
      'src/actions',
      'src/audit',
      'src/calendar',
      'src/catalog',
      'src/adapters/temporal',
      'src/adapters/identity/login',
      'src/cli',
      NODE,
      ORDINARY,
      '@temporalio/client',
      'package.json',
    ],
    rule: 'the CLI talks to Temporal, and for a login to the identity provider; what touches a system runs in an activity',
  },
  workflows: {
    imports: [...PURE, 'src/expressions', 'workflows', '@temporalio/workflow', '@temporalio/common'],
    types: ['activities', 'zod'],
    rule: 'workflows are deterministic: decisions in src/domain, effects in activities (import their types only)',
  },
  activities: {
    imports: [
      ...PURE,
      'src/actions',
      'src/audit',
      'src/calendar',
      'src/catalog',
      'src/expressions',
      'src/adapters',
      'activities',
      NODE,
      '@temporalio/activity',
      '@temporalio/common',
      'zod',
    ],
    types: ['@temporalio/client'],
    rule: 'activities reach vendors through src/adapters only, and never import a workflow',
  },
  worker: {
    imports: [...CODE, 'worker', NODE, ORDINARY, '@temporalio/client', 'package.json'],
    rule: 'the worker wires the parts together and reaches vendors through src/adapters only',
  },
  scripts: {
    // The sandbox runs the stand-ins for services that cannot be had; they are tests' property.
    imports: [...CODE, 'scripts', 'test/support/receivers', NODE, ORDINARY, VENDOR, 'package.json'],
    rule: 'scripts are tools of the repository: they import neither the worker nor tests',
  },
  test: {
    imports: [...CODE, 'worker', 'scripts', 'test', NODE, ORDINARY, VENDOR, 'package.json', 'eslint.config.js'],
    rule: 'nothing but tests imports test',
  },
};
