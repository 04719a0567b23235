import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** Before: the request is not sent yet. After: its answer has arrived, and nobody in the worker has seen it. */
export type Side = 'before' | 'after';

/**
 * A mutating call of the worker: `switchTraffic PATCH services/shop`, and which of that kind it is in its process, where
 * those that were refused do not count.
 */
export interface Call {
  key: string;
  ordinal: number;
}

/**
 * What the harness tells a worker. By file: the worker is to be killed, and what is told must outlive it. Each strike is
 * carried out once, in their order, whichever process of the worker gets there first; with signal `none` it only leaves
 * its mark.
 */
export interface Orders {
  /** New with every run: calls are counted from its beginning. */
  run: string;
  /** Environment, also namespace, of the run. */
  environment: string;
  strikes?: Strike[];
}

export interface Strike {
  call: Call;
  side: Side;
  signal: 'SIGKILL' | 'none';
}

export interface CallLine extends Call {
  environment: string;
  pid: number;
  /** HTTP status, `sent` before there is one, `failed` when none came. */
  outcome: number | 'sent' | 'failed';
}

/** Folder by which a harness and its worker talk, for the worker's environment. */
export const FOLDER_VARIABLE = 'WINDLASS_CRASH_FOLDER';
/** Process id of the harness. */
export const HARNESS_VARIABLE = 'WINDLASS_CRASH_HARNESS';

/** The file that exists once the strike of this number took place. */
export const markOf = (folder: string, number = 0): string => join(folder, `struck-${number}`);

const inFolder = (folder: string) => ({
  orders: join(folder, 'orders.json'),
  calls: join(folder, 'calls.jsonl'),
});

/** Gives orders for the next run; the last run's calls and marks are forgotten. */
export function giveOrders(folder: string, given: Omit<Orders, 'run'>): void {
  const orders: Orders = { run: randomUUID(), ...given };
  const { orders: file, calls } = inFolder(folder);
  for (let number = strikesDone(folder); number-- > 0;) rmSync(markOf(folder, number));
  writeFileSync(calls, '');
  writeFileSync(`${file}.new`, JSON.stringify(orders));
  renameSync(`${file}.new`, file);
}

/** The orders of now; undefined before the first run. */
export function readOrders(folder: string): Orders | undefined {
  try {
    return JSON.parse(readFileSync(inFolder(folder).orders, 'utf8')) as Orders;
  } catch {
    return undefined;
  }
}

/** True for the one caller that may carry out the strike of this number. */
export function takeStrike(folder: string, number: number): boolean {
  try {
    closeSync(openSync(markOf(folder, number), 'wx'));
    return true;
  } catch {
    return false;
  }
}

/** How many strikes took place. */
export function strikesDone(folder: string): number {
  let number = 0;
  while (existsSync(markOf(folder, number))) number++;
  return number;
}

/** On disk when it returns: the next thing that happens may be the end of this process. */
export function recordCall(folder: string, line: CallLine): void {
  const file = openSync(inFolder(folder).calls, 'a');
  appendFileSync(file, `${JSON.stringify(line)}\n`);
  fsyncSync(file);
  closeSync(file);
}

export function readCalls(folder: string): CallLine[] {
  const lines = readFileSync(inFolder(folder).calls, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as CallLine);
}

/** Refused for what it asked, as when others changed meanwhile what it expected: nothing happened. */
export const isRefused = (outcome: CallLine['outcome']): boolean =>
  typeof outcome === 'number' && outcome >= 400 && outcome < 500;

/** The calls that may have changed something. One that is made instead of a refused one has its ordinal. */
export function changesOf(lines: CallLine[]): CallLine[] {
  const changes: CallLine[] = [];
  for (const line of lines) {
    if (line.outcome === 'sent') changes.push(line);
    if (!isRefused(line.outcome)) continue;
    const { pid, key, ordinal } = line;
    const refused = changes.findLastIndex((each) => each.pid === pid && each.key === key && each.ordinal === ordinal);
    changes.splice(refused, 1);
  }
  return changes;
}

/** Whether a request may change something: a dry run, a question about permissions and a query by POST change nothing. */
export function isMutating(method: string, path: string): boolean {
  if (!['POST', 'PUT', 'PATCH', 'DELETE'].includes(method.toUpperCase())) return false;
  return (
    !/[?&]dryRun=All/.test(path) && !/^\/apis\/authorization\.k8s\.io\//.test(path) && !/\/api\/v1\/query/.test(path)
  );
}

/** Name of the database of an environment, which PostgreSQL writes without dashes. */
export const databaseOf = (environment: string): string => environment.replaceAll('-', '_');

/** Regular expression of that name and of those that runs derive from it; the whole name, because one may begin like another. */
export const databasesOf = (environment: string): string => `${databaseOf(environment)}(_[a-z]+_[0-9a-f]{8})?`;

/** The key of a call: the same in every run. `path`: of a request; of a statement its text. */
export function keyOf(activity: string, method: string, path: string, environment: string): string {
  if (method === 'SQL') return `${activity} SQL ${normalize(path, environment)}`;
  const where = path
    .replace(/\?.*$/, '')
    .replace(new RegExp(`^/(api|apis/[^/]+)/v[^/]+/namespaces/${environment}/`), '');
  return `${activity} ${method.toUpperCase()} ${normalize(decodeURIComponent(where), environment)}`;
}

/** Replaces what is new in every run: the environment, ids, fencing tokens, hashes and times. */
export function normalize(text: string, environment: string): string {
  return text
    .replaceAll(environment, '<environment>')
    .replaceAll(databaseOf(environment), '<database>')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>')
    .replaceAll(/\b[12]\d{9}\b/g, '<token>')
    .replaceAll(/(deployment)-[0-9a-f]{8}\b/g, '$1-<run>')
    .replaceAll(/_(verify|restore|damaged)_[0-9a-f]{8}\b/g, '_$1_<run>')
    .replaceAll(/\b\d{8}T\d{6}Z-[0-9a-f]{8}\b/g, '<backup>')
    .replaceAll(/(windlass\.fence = )'\d+'/g, '$1<token>')
    .replaceAll(/(retire\/\S+-)[0-9a-f]{8}\b/g, '$1<uid>')
    .replaceAll(/(\.|sha256[:-])[0-9a-f]{12,64}\b/g, '$1<digest>');
}
