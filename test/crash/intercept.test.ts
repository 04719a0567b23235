import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import {
  changesOf,
  FOLDER_VARIABLE,
  giveOrders,
  readCalls,
  strikesDone,
  type Strike,
  type Side,
} from '../support/crash/calls.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const CHILD = fileURLToPath(new URL('../support/crash/intercept-child.ts', import.meta.url));
const KEYS = {
  fetch: 'worker POST /',
  'fetch again': 'worker POST /',
  undici: 'worker POST /',
  kubernetes: 'worker POST /api/v1/namespaces/n/configmaps',
  s3: 'worker PUT /b/k',
};
type Client = keyof typeof KEYS;
const CLIENTS: Client[] = ['fetch', 'undici', 'kubernetes', 's3'];

let received: string[] = [];
/** How many calls are refused. */
let refusals = 0;
const server = createServer((request, response) => {
  received.push(request.method!);
  response.statusCode = refusals-- > 0 ? 409 : 200;
  request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
});
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'windlass-intercept-'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const send = async (client: Client, side?: Side, refuse = 0): Promise<{ ended: string; output: string }> => {
  received = [];
  refusals = refuse;
  return call(client, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, KEYS[client], side);
};

async function call(client: string, url: string, key: string, side?: Side): Promise<{ ended: string; output: string }> {
  const strikes: Strike[] = side ? [{ call: { key, ordinal: 1 }, side, signal: 'SIGKILL' }] : [];
  giveOrders(folder, { environment: 'none', strikes });
  const child = spawn(process.execPath, [CHILD, client, url], {
    env: { ...process.env, [FOLDER_VARIABLE]: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { ended: signal ?? String(code), output };
}

test.each(CLIENTS)('a call by %s is seen, and its answer', async (client) => {
  expect(await send(client)).toEqual({ ended: '0', output: 'the caller has its answer' });
  expect(received).toHaveLength(1);
  expect(readCalls(folder).map(({ key, outcome }) => [key, outcome])).toEqual([
    [KEYS[client], 'sent'],
    [KEYS[client], 200],
  ]);
});

test.each(CLIENTS)('a process killed before its call by %s has sent nothing', async (client) => {
  expect(await send(client, 'before')).toEqual({ ended: 'SIGKILL', output: '' });
  expect(strikesDone(folder)).toBe(1);
  expect(received).toEqual([]);
});

test.each(CLIENTS)(
  'a process killed after its call by %s has changed something and does not know it',
  async (client) => {
    expect(await send(client, 'after')).toEqual({ ended: 'SIGKILL', output: '' });
    expect(received).toHaveLength(1);
  },
);

describe('a refused call', () => {
  test('is no change: the one that is made instead takes its place', async () => {
    await send('fetch again', undefined, 1);
    expect(readCalls(folder).map(({ ordinal, outcome }) => [ordinal, outcome])).toEqual([
      [1, 'sent'],
      [1, 409],
      [1, 'sent'],
      [1, 200],
    ]);
    expect(changesOf(readCalls(folder)).map(({ ordinal }) => ordinal)).toEqual([1]);
    await send('fetch again', undefined, 2);
    expect(changesOf(readCalls(folder))).toEqual([]);
  });

  test('is not what a process is killed after', async () => {
    expect(await send('fetch again', 'after', 1)).toEqual({ ended: 'SIGKILL', output: '' });
    expect(received).toHaveLength(2);
    expect((await send('fetch again', 'after', 2)).ended).toBe('0');
    expect(strikesDone(folder)).toBe(0);
  });
});

describe('a transaction of PostgreSQL', () => {
  const COMMIT = 'worker SQL CREATE TABLE crash_one (); CREATE TABLE crash_two ()';
  let database: TestDatabase;
  let url: string;
  beforeEach(async () => {
    database = await createTestDatabase();
    const { host, port, user, passwordFile } = readEndpoints().postgres;
    url = `postgres://${user}:${encodeURIComponent(readFileSync(passwordFile, 'utf8').trim())}@${host}:${port}/${database.name}`;
  });
  afterEach(() => database.remove());
  const tables = async (): Promise<string[]> => {
    const client = await database.connect();
    const { rows } = await client.query<{ relname: string }>("SELECT relname FROM pg_class WHERE relname ~ '^crash_' ORDER BY 1"); // prettier-ignore
    await client.end();
    return rows.map(({ relname }) => relname);
  };

  test('is one call, at its end', async () => {
    expect(await call('postgres', url, COMMIT)).toEqual({ ended: '0', output: 'the caller has its answer' });
    expect(readCalls(folder).map(({ key, outcome }) => [key, outcome])).toEqual([
      [COMMIT, 'sent'],
      [COMMIT, 200],
    ]);
  });

  test('whose process is killed before its end leaves nothing, after it all', async () => {
    expect(await call('postgres', url, COMMIT, 'before')).toEqual({ ended: 'SIGKILL', output: '' });
    expect(await tables()).toEqual([]);
    expect(await call('postgres', url, COMMIT, 'after')).toEqual({ ended: 'SIGKILL', output: '' });
    expect(await tables()).toEqual(['crash_one', 'crash_two']);
  });
});
