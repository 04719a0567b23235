import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, readConfig } from '../../worker/config.ts';
import { serializable } from '../../worker/runtime.ts';
import { loadExtensions } from '../../worker/extensions.ts';

const folder = mkdtempSync(join(tmpdir(), 'windlass-worker-'));
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const least = {
  WINDLASS_S3_ENDPOINT: 'http://127.0.0.1:9000',
  WINDLASS_S3_BUCKET: 'evidence',
  WINDLASS_S3_ACCESS_KEY_ID: 'key',
  WINDLASS_S3_SECRET_KEY_FILE: file('secret', 'verysecret\n'),
};

function faultsOf(env: Record<string, string>): string[] {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).faults;
  }
  return [];
}

test('the object store is all that must be said; the rest has defaults', () => {
  expect(readConfig(least)).toMatchObject({
    taskQueue: 'windlass',
    catalog: { directory: expect.stringMatching(/systems$/), overlays: [] },
    objectStore: { endpoint: 'http://127.0.0.1:9000', secretAccessKey: 'verysecret' },
    shutdownGraceMs: 10_000,
    extensions: [],
  });
});

test('a task that could not be begun is not logged with its token and its payloads', () => {
  const meta = { activityId: '7', taskToken: 'token', task: '{"input":…}', taskEncoded: 'token', at: 5n };
  expect(serializable(meta)).toEqual({ activityId: '7', at: 5 });
});

test('keys for payloads are references, the one that encrypts first', () => {
  const { payloadKeys } = readConfig({ ...least, WINDLASS_PAYLOAD_KEYS: '2026-11=file:/etc/key, 2026-05=env:OLD' });
  expect(payloadKeys).toEqual({
    encrypts: true,
    keys: [
      { id: '2026-11', reference: 'file:/etc/key' },
      { id: '2026-05', reference: 'env:OLD' },
    ],
  });
});

test('every fault is listed, by the name of its variable', () => {
  const faults = faultsOf({
    ...least,
    WINDLASS_S3_BUCKET: '',
    WINDLASS_S3_SECRET_KEY_FILE: '/nowhere/secret',
    WINDLASS_PAYLOAD_KEYS: '',
    WINDLASS_METRICS_ADDRESS: '9464',
    WINDLASS_SHUTDOWN_GRACE: '10',
    WINDLASS_MAX_CACHED_WORKFLOWS: 'many',
    WINDLASS_LOG_LEVEL: 'loud',
  });
  expect(faults.map((fault) => fault.split(':')[0])).toEqual([
    'WINDLASS_S3_BUCKET',
    'WINDLASS_S3_SECRET_KEY_FILE',
    'WINDLASS_PAYLOAD_KEYS',
    'WINDLASS_METRICS_ADDRESS',
    'WINDLASS_LOG_LEVEL',
    'WINDLASS_MAX_CACHED_WORKFLOWS',
    'WINDLASS_SHUTDOWN_GRACE',
  ]);
});

test('a worker without an object store does not start: there is no evidence without one', () => {
  expect(faultsOf({})).toEqual([
    'WINDLASS_S3_ENDPOINT: is not set: expected the address of the object store that keeps evidence',
    'WINDLASS_S3_BUCKET: is not set: expected a bucket',
    'WINDLASS_S3_ACCESS_KEY_ID: is not set: expected an access key id',
    'WINDLASS_S3_SECRET_KEY_FILE: is not set: expected a file that holds the secret key',
  ]);
});

describe('capabilities', () => {
  const of = (WINDLASS_CAPABILITIES: string) => ({ ...least, WINDLASS_CAPABILITIES });

  test('are all of them when nothing is said', () => {
    expect(readConfig(least).capabilities).toEqual(['core', 'deploy', 'backup', 'operate', 'notify']);
    expect(readConfig(of('notify, deploy,notify')).capabilities).toEqual(['notify', 'deploy']);
  });

  test.each(['deploys', 'deploy,', ''])('that are none are refused: "%s"', (text) => {
    expect(faultsOf(of(text))).toEqual([
      expect.stringMatching(
        /^WINDLASS_CAPABILITIES[.\d]*: expected core, deploy, backup, operate, notify or some of them separated by commas, got "(deploys|)"$/,
      ),
    ]);
  });

  test('that keep no evidence need no object store', () => {
    expect(readConfig({ WINDLASS_CAPABILITIES: 'notify,backup' })).not.toHaveProperty('objectStore');
    expect(faultsOf({ WINDLASS_CAPABILITIES: 'deploy' })).toHaveLength(4);
  });

  test('without core have no part in audit, alerts and statements', () => {
    const shared = {
      WINDLASS_AUDIT_DATABASE: 'file:/audit.url',
      WINDLASS_ALERTS_TOKEN: 'file:/alerts.token',
      WINDLASS_STATEMENT_KEYS: 'file:/statements.pem',
    };
    const parts = ['audit', 'alerts', 'statementKeys'];
    expect(Object.keys(readConfig({ ...of('deploy'), ...shared })).filter((each) => parts.includes(each))).toEqual([]);
    expect(Object.keys(readConfig({ ...of('core'), ...shared }))).toEqual(expect.arrayContaining(parts));
  });
});

test('lists of files are separated by commas', () => {
  const { catalog } = readConfig({ ...least, WINDLASS_OVERLAYS: 'a.yaml, b.yaml,' });
  expect(catalog.overlays).toEqual(['a.yaml', 'b.yaml']);
});

test('extensions that do not load, or add nothing, are named', async () => {
  const empty = file('empty.mjs', 'export const other = 1;');
  const faults = await loadExtensions([empty, '/nowhere/extension.mjs']).then(
    () => [],
    (error: ConfigError) => error.faults,
  );
  expect(faults).toEqual([
    `WINDLASS_WORKER_EXTENSIONS: expected ${empty} to export the list activityInterceptors`,
    expect.stringMatching(/^WINDLASS_WORKER_EXTENSIONS: \/nowhere\/extension\.mjs does not load: /),
  ]);
});

test('the audit is off until its database is named, and then goes beside the evidence, locked for a year, every minute', () => {
  expect(readConfig(least).audit).toBeUndefined();
  expect(readConfig({ ...least, WINDLASS_AUDIT_DATABASE: 'file:/etc/windlass/audit.url' }).audit).toEqual({
    database: 'file:/etc/windlass/audit.url',
    store: expect.objectContaining({ bucket: 'evidence', lock: 'compliance', retentionMs: 365 * 86_400_000 }),
    prefix: 'audit',
    everyMs: 60_000,
  });
});

test('the URL of the audit itself, password and all, is no reference and is refused without being quoted', () => {
  const faults = faultsOf({ ...least, WINDLASS_AUDIT_DATABASE: 'postgres://audit:hunter2@db/audit' });
  expect(faults).toEqual([expect.stringContaining('WINDLASS_AUDIT_DATABASE')]);
  expect(faults.join()).not.toContain('hunter2');
});
