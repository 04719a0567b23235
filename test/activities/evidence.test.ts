import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createCatalogActivities } from '../../activities/catalog.ts';
import { createEvidenceActivities } from '../../activities/evidence.ts';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';
import type { ServiceSlice } from '../../src/contracts/catalog.ts';
import { createObjectStore, type ObjectStoreOptions } from '../../src/adapters/object-store.ts';
import { loadCatalog } from '../../src/catalog/load.ts';

// On the sandbox's real S3 server; what is there is read with a client of the test's own.
const { s3 } = readEndpoints();
const options: ObjectStoreOptions = { ...s3, secretAccessKey: readFileSync(s3.secretKeyFile, 'utf8').trim() };
const reader = new S3Client({
  endpoint: s3.endpoint,
  region: s3.region,
  forcePathStyle: true,
  credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: options.secretAccessKey },
});
afterAll(() => reader.destroy());

const folder = `test/${randomUUID()}`;
const { keepEvidence } = createEvidenceActivities({ objects: createObjectStore(options) });
const keep = (body: string, key = `${folder}/job.log`) => keepEvidence({ key, contentType: 'text/plain', body });

async function read(uri: string): Promise<string> {
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri)!;
  const { Body } = await reader.send(new GetObjectCommand({ Bucket, Key }));
  return Body!.transformToString();
}

async function keysIn(prefix: string): Promise<string[]> {
  const { Contents = [] } = await reader.send(new ListObjectsV2Command({ Bucket: s3.bucket, Prefix: prefix }));
  return Contents.map(({ Key }) => Key!);
}

test('evidence is kept as it is, and the reference says what it is', async () => {
  const kept = await keep('größer\n');
  expect(kept).toEqual({
    uri: `s3://${s3.bucket}/${folder}/job.log`,
    sha256: expect.stringMatching(/^[a-f0-9]{64}$/),
    bytes: 9,
    contentType: 'text/plain',
  });
  expect(await read(kept.uri)).toBe('größer\n');
});

test('the same evidence kept twice is one object and the same reference', async () => {
  const key = `${folder}/twice/job.log`;
  expect(await keep('again', key)).toEqual(await keep('again', key));
  expect(await keysIn(`${folder}/twice/`)).toEqual([key]);
});

test('a later attempt never writes over the evidence of an earlier one', async () => {
  const key = `${folder}/attempts/job.log`;
  const [first, second] = [await keep('first', key), await keep('second', key)];
  expect(second.uri).not.toBe(first.uri);
  expect(await read(first.uri)).toBe('first');
  expect(await read(second.uri)).toBe('second');
  expect(await keep('second', key)).toEqual(second);
});

test.each([
  ['a wrong secret key', { secretAccessKey: 'wrong' }, 'Forbidden', true],
  ['a bucket that is not there', { bucket: 'no-such-bucket' }, 'NotFound', true],
  ['nobody there', { endpoint: 'http://127.0.0.1:1' }, 'Unavailable', false],
])('%s is told apart and says whether to try again', async (_, change, type, nonRetryable) => {
  const objects = createObjectStore({ ...options, ...change });
  const put = objects.put({ key: `${folder}/x`, contentType: 'text/plain', body: 'x' });
  await expect(put).rejects.toMatchObject({ type, nonRetryable });
  await expect(objects.check()).rejects.toMatchObject({ type, nonRetryable });
});

describe('loadSlice', () => {
  const inActivity = () => new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
  const ref = { system: 'sandbox', environment: 'local', service: 'shop' };
  const catalog = loadCatalog({ directory: new URL('../../systems', import.meta.url).pathname });
  const activities = (store: ObjectStoreOptions) =>
    createCatalogActivities({ catalog: { current: () => catalog }, objects: createObjectStore(store) });

  test('keeps the catalog file under the digest that the slice names', async () => {
    const slice: ServiceSlice = await inActivity().run(activities(options).loadSlice, ref);
    const kept = await read(`s3://${s3.bucket}/catalogs/${slice.digest.replace(':', '-')}.yaml`);
    expect(kept).toBe(readFileSync(new URL('../../systems/sandbox.yaml', import.meta.url), 'utf8'));
  });

  test('does not wait for an object store that is down: a rollback must go on', async () => {
    const slice: ServiceSlice = await inActivity().run(
      activities({ ...options, endpoint: 'http://127.0.0.1:1' }).loadSlice,
      ref,
    );
    expect(slice.namespace).toBe('shop');
  });

  test('of an unknown service is refused, and not tried again', async () => {
    const loading = inActivity().run(activities(options).loadSlice, { ...ref, service: 'ship' });
    await expect(loading).rejects.toMatchObject({
      type: 'UnknownService',
      nonRetryable: true,
      message: 'no service ship in system sandbox; there is: shop',
    });
  });
});
