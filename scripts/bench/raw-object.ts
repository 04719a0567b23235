// The object store's end of a plain pipe: `node raw-object.ts put KEY < data` or `node raw-object.ts get KEY > data`, with
// the same client library and the same parts as a backup, and nothing else.
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readEndpoints } from '../sandbox/endpoints.ts';

const [what, key] = process.argv.slice(2);
const { endpoint, region, bucket, accessKeyId, secretKeyFile } = readEndpoints().s3;
const credentials = { accessKeyId, secretAccessKey: readFileSync(secretKeyFile, 'utf8').trim() };
const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
if (what === 'put') {
  const params = { Bucket: bucket, Key: key!, Body: process.stdin };
  await new Upload({ client, params, partSize: 8 * 1024 * 1024, queueSize: 2 }).done();
} else {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key! }));
  await pipeline(Body as Readable, process.stdout);
}
