import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/** A named part of `npm test`: one Jest run over some test files. */
export interface Part {
  name: string;
  /** Folder of its test files, relative to the repository. */
  folder: string;
  /** Which files of the folder belong to it, by base name; all of them when absent. */
  files?: RegExp;
  /** Expected time on 2 cores. Over it is a warning; a part that takes far longer hangs and is ended (`limitOf`). */
  budgetSeconds: number;
  /** `needs` runs it while a sandbox is up, `forbids` while none is up, because the tests start their own. */
  sandbox?: 'needs' | 'forbids';
  /** One file at a time: the files share the sandbox, or a machine-wide resource. */
  inBand?: true;
  /** Its files mostly wait for the cluster: half as many again at a time as there are processors. */
  waits?: true;
  /** Runs at the same time as the part before it, where that runs: they share nothing, and at least one mostly waits. */
  beside?: true;
}

/** The part `check`, which is no Jest run: format, lint, types, duplicated code. */
export const CHECK = { name: 'check', budgetSeconds: 60 };

/** Starting the sandbox (most of it: building binaries into an empty cache) and taking it down. */
export const SANDBOX_UP = { name: 'sandbox up', budgetSeconds: 15 * 60 };
export const SANDBOX_DOWN = { name: 'sandbox down', budgetSeconds: 30 };

/** In the order in which they run: what fails fast comes first, then what needs the sandbox, together. */
export const PARTS: Part[] = [
  { name: 'unit', folder: 'test/unit', budgetSeconds: 90 },
  { name: 'replay', folder: 'test/replay', budgetSeconds: 30 },
  // Each file has a namespace, a database or a node of its own.
  { name: 'activities', folder: 'test/activities', budgetSeconds: 240, sandbox: 'needs', waits: true },
  {
    name: 'acceptance',
    folder: 'test/acceptance',
    files: /^(?!sandbox|incident-|audit|database|freeze|runbook|.*maintenance)/,
    budgetSeconds: 780,
    sandbox: 'needs',
    inBand: true,
  },
  {
    name: 'operations',
    folder: 'test/acceptance',
    files: /^(audit|database|freeze|runbook|.*maintenance|incident-(escalation|severity))/,
    budgetSeconds: 780,
    sandbox: 'needs',
    inBand: true,
    beside: true,
  },
  // In band: alerts come to one port of the machine, and to a second one for the incidents among the operations.
  {
    name: 'incidents',
    folder: 'test/acceptance',
    files: /^incident-(?!escalation|severity)/,
    budgetSeconds: 780,
    sandbox: 'needs',
    inBand: true,
    beside: true,
  },
  // In band although it is the longest: it shards inside, each shard with its own namespace and task queue.
  {
    name: 'crash',
    folder: 'test/crash',
    files: /^matrix/,
    budgetSeconds: 18 * 60,
    sandbox: 'needs',
    inBand: true,
  },
  {
    name: 'takeover',
    folder: 'test/crash',
    files: /^(?!matrix|outages)/,
    budgetSeconds: 330,
    sandbox: 'needs',
    inBand: true,
    beside: true,
  },
  // Alone: it kills the servers of everybody, and a release has to hold its own times while they come back.
  { name: 'outages', folder: 'test/crash', files: /^outages/, budgetSeconds: 150, sandbox: 'needs', inBand: true },
  { name: 'browser', folder: 'test/browser', budgetSeconds: 150, sandbox: 'needs', inBand: true },
  { name: 'docs', folder: 'test/docs', budgetSeconds: 30, sandbox: 'needs', inBand: true, beside: true },
  // Its first run on a machine builds Helm where it cannot be downloaded (about a minute).
  { name: 'chart', folder: 'test/chart', budgetSeconds: 120, sandbox: 'needs', inBand: true, beside: true },
  // After everything that leaves something in the sandbox.
  { name: 'secrets', folder: 'test/secrets', budgetSeconds: 90, sandbox: 'needs', inBand: true },
  // Last: by then `sandbox up` has filled the cache of binaries, so its own starts are warm ones.
  {
    name: 'sandbox',
    folder: 'test/acceptance',
    files: /^sandbox/,
    budgetSeconds: 240,
    sandbox: 'forbids',
    inBand: true,
  },
  // They need no sandbox, and those before them wait for half of their time.
  { name: 'workflows', folder: 'test/workflows', budgetSeconds: 300, beside: true },
];

/** Parts whose numbered tests prove procedures. */
export const PROVING = PARTS.filter(({ name }) => ['acceptance', 'operations', 'incidents'].includes(name));

/**
 * The test files of a part.
 * @returns paths relative to `root`, sorted; empty when the folder does not exist
 */
export function filesOf(part: Part, root: string): string[] {
  const folder = join(root, part.folder);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts') && (part.files?.test(entry.name) ?? true))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

/**
 * Chooses the parts to run.
 * @param names as given on the command line; none means every part that has test files
 * @param present names of the parts that have test files, in order
 * @throws Error when a name is unknown or its part has no test file
 */
export function choose(names: string[], present: string[]): string[] {
  const missing = names.filter((name) => !present.includes(name));
  if (missing.length > 0) {
    throw new Error(`no such part, or it has no test: ${missing.join(', ')}. There are: ${present.join(', ')}.`);
  }
  return present.filter((name) => names.length === 0 || names.includes(name));
}

/** After this many seconds a part hangs rather than is slow. Machines differ, so it is far from the budget. */
export function limitOf(part: Part): number {
  // Tests that start their own sandbox may meet an empty cache when they run alone.
  return 3 * part.budgetSeconds + (part.sandbox === 'forbids' ? SANDBOX_UP.budgetSeconds : 0);
}
