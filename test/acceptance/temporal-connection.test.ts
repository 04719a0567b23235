import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import { ensureCli, runCli } from '../support/acceptance-cli.ts';
import { makeCertificate } from '../support/certificates.ts';
import { findSecrets } from '../support/secret-scanner.ts';
import { openTlsFront, type TlsFront } from '../support/tls-front.ts';
import { startWorker, type WorkerProcess } from '../support/worker.ts';

// The shipped worker and CLI, with Temporal's own variables, on the sandbox's Temporal behind TLS.
const taskQueue = `tls-${randomBytes(3).toString('hex')}`;
const CANARY = `canary-${randomBytes(6).toString('hex')}`;
const KEYS = { WINDLASS_PAYLOAD_KEYS: '2026-11=env:PAYLOAD_KEY', PAYLOAD_KEY: randomBytes(32).toString('base64') };
const { namespace, address } = readEndpoints().temporal;
const CLI = { TEMPORAL_NAMESPACE: namespace, WINDLASS_TASK_QUEUE: taskQueue };
let front: TlsFront;
let worker: WorkerProcess | undefined;

beforeAll(async () => {
  await ensureCli();
  front = await openTlsFront(address);
}, 60_000);
afterAll(async () => {
  await worker?.stop();
  await front?.close();
}, 60_000);

test('worker and command line work through mTLS with payloads encrypted, each by its client certificate', async () => {
  worker = await startWorker({ taskQueue, env: { ...front.admitted, ...KEYS } });
  expect(new Set(front.clients)).toEqual(new Set(['worker']));

  const cli = (...args: string[]) => runCli([...args, '--as', 'kim'], { ...CLI, ...front.admitted, ...KEYS });
  const { json } = await cli('run', 'sandbox', 'local', CANARY, '--wait');
  expect(json['ending']).toEqual({ ok: false, type: 'UnknownRunbook', message: expect.stringContaining(CANARY) });
  expect((await cli('show', json['id'])).json['story'].input.runbook).toBe(CANARY);

  const connection = await Connection.connect({ address });
  const history = await new Client({ connection, namespace }).workflow.getHandle(json['id']).fetchHistory();
  await connection.close();
  // The id of the procedure, which has the canary too, is never encrypted.
  const records = JSON.stringify(history).replaceAll(json['id'], 'ID');
  expect(findSecrets(records, { CANARY, encoding: 'binary/encrypted' })).toEqual([
    { secret: 'encoding', wrapped: 'base64' },
  ]);
  const log = readFileSync(worker.logFile, 'utf8');
  expect(log).toContain('"encrypts":"2026-11"');
  const { PAYLOAD_KEY } = KEYS;
  expect(findSecrets(log, { PAYLOAD_KEY, bytes: Buffer.from(PAYLOAD_KEY, 'base64') })).toEqual([]);
}, 120_000);

const WANTS = 'it wants a client certificate: set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH';
const REFUSES = 'it refuses the client certificate of TEMPORAL_TLS_CLIENT_CERT_PATH';
const cases: [string, () => Record<string, string>, string][] = [
  ['without a client certificate', () => front.trusting, WANTS],
  ['with a client certificate of somebody else', () => front.stranger, REFUSES],
  ['without TLS', () => ({ TEMPORAL_ADDRESS: front.address }), 'it speaks TLS: set TEMPORAL_TLS=true'],
  [
    'without trust in its certificate',
    () => ({ TEMPORAL_ADDRESS: front.address, TEMPORAL_TLS: 'true' }),
    'its certificate is signed by nobody who is trusted here: set TEMPORAL_TLS_SERVER_CA_CERT_PATH',
  ],
];

test.each(cases)('the command line is refused, and says why, %s', async (_, env, why) => {
  const { code, json } = await runCli(['list'], { ...CLI, ...env() });
  expect([code, json['error'].code, json['error'].message]).toEqual([1, 'not-allowed', `the Temporal server at ${front.address} cannot be used: ${why}.`]); // prettier-ignore
});

test.each(cases)('a worker does not start, and says why, %s', async (_, env, why) => {
  expect(await startAndFail(env())).toContain(`the Temporal server at ${front.address} cannot be used: ${why}`);
});

/** The log of a worker that ends by itself. */
async function startAndFail(env: Record<string, string>): Promise<string> {
  const { TEMPORAL_ADDRESS: _, ...inherited } = process.env;
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, 'unused');
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../worker/main.ts')], {
    env: {
      ...inherited,
      WINDLASS_S3_ENDPOINT: 'http://127.0.0.1:1',
      WINDLASS_S3_BUCKET: 'unused',
      WINDLASS_S3_ACCESS_KEY_ID: 'unused',
      WINDLASS_S3_SECRET_KEY_FILE: secretFile,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  expect(code).toBe(1);
  return log;
}
const folder = mkdtempSync(join(tmpdir(), 'windlass-connection-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('an API key', () => {
  const KEY = `key-${randomBytes(12).toString('hex')}`;
  let cloud: Http2SecureServer;
  let seen: { path: string; authorization: string }[];
  let env: Record<string, string>;

  // Whoever asks is told that the key is not valid: what counts is how they ask.
  beforeAll(async () => {
    const { cert, key } = makeCertificate({ names: 'DNS:localhost', days: 1 });
    writeFileSync(join(folder, 'cloud.crt'), cert);
    cloud = createSecureServer({ cert, key });
    cloud.on('stream', (stream, headers) => {
      seen.push({ path: headers[':path'] ?? '', authorization: headers.authorization ?? '' });
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '16', 'grpc-message': 'not valid' },
        { endStream: true },
      );
    });
    await new Promise<void>((listening) => cloud.listen(0, '127.0.0.1', listening));
    env = {
      TEMPORAL_ADDRESS: `localhost:${(cloud.address() as AddressInfo).port}`,
      TEMPORAL_API_KEY: KEY,
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(folder, 'cloud.crt'),
    };
  });
  beforeEach(() => (seen = []));
  afterAll(() => new Promise((closed) => cloud.close(closed)));

  const asked = () => [...new Set(seen.map(({ authorization }) => authorization))];

  test('goes with every request of the command line, which says when it is refused', async () => {
    const { code, json } = await runCli(['list'], { ...CLI, ...env });
    expect([code, json['error'].code, json['error'].hint]).toEqual([1, 'not-allowed', expect.stringContaining('TEMPORAL_API_KEY')]); // prettier-ignore
    expect(asked()).toEqual([`Bearer ${KEY}`]);
    expect(JSON.stringify(json)).not.toContain(KEY);
  });

  test('goes with every request of a worker, which does not start when it is refused', async () => {
    const log = await startAndFail(env);
    expect(log).toContain(
      `the Temporal server at ${env['TEMPORAL_ADDRESS']} refuses this worker: check TEMPORAL_API_KEY`,
    );
    expect(asked()).toEqual([`Bearer ${KEY}`]);
    expect(log).not.toContain(KEY);
  });
});
