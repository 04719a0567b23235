import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { readFileSync } from 'node:fs';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';

/** What is kept in the sandbox's object store under an address such as `s3://bucket/key`. */
export async function readObject(uri: string): Promise<string> {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
  const { endpoint, region, accessKeyId, secretKeyFile } = readEndpoints().s3;
  const credentials = { accessKeyId, secretAccessKey: readFileSync(secretKeyFile, 'utf8').trim() };
  const s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return await Body!.transformToString();
  } finally {
    s3.destroy();
  }
}
