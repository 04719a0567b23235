import { CreateBucketCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { inState } from './paths.ts';
import { ports } from './ports.ts';
import { ready, start } from './processes.ts';

export const s3 = {
  endpoint: `http://127.0.0.1:${ports.s3}`,
  region: 'us-east-1',
  bucket: 'windlass-evidence',
  accessKeyId: 'windlass-sandbox',
  secretKeyFile: () => inState('s3.secret'),
};

/** Starts the S3 server on a folder of files; returns when the evidence bucket is there, with object lock. */
export async function startS3(binary: string): Promise<void> {
  const [objects, versions, iam] = [inState('s3', 'objects'), inState('s3', 'versions'), inState('s3', 'iam')];
  for (const folder of [objects, versions, iam]) mkdirSync(folder, { recursive: true });
  if (!existsSync(s3.secretKeyFile())) {
    writeFileSync(s3.secretKeyFile(), randomBytes(30).toString('base64url'), { mode: 0o600 });
  }
  const secretAccessKey = readFileSync(s3.secretKeyFile(), 'utf8');
  const listen = ['--port', `127.0.0.1:${ports.s3}`, '--region', s3.region, '--iam-dir', iam];
  const args = [...listen, '--quiet', '--health', '/healthz', 'posix', '--versioning-dir', versions, objects];
  const env = { ROOT_ACCESS_KEY: s3.accessKeyId, ROOT_SECRET_KEY: secretAccessKey };
  start({ name: 's3', command: binary, args, env });
  await ready('s3', () => ensureBucket(secretAccessKey));
}

async function ensureBucket(secretAccessKey: string): Promise<boolean> {
  const credentials = { accessKeyId: s3.accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint: s3.endpoint, region: s3.region, forcePathStyle: true, credentials });
  try {
    await client.send(new HeadBucketCommand({ Bucket: s3.bucket }));
  } catch (error) {
    if ((error as Error).name !== 'NotFound') throw error;
    await client.send(new CreateBucketCommand({ Bucket: s3.bucket, ObjectLockEnabledForBucket: true }));
  } finally {
    client.destroy();
  }
  return true;
}
