import { createHash } from 'node:crypto';
import {
  GetObjectCommand,
  HeadBucketCommand,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import type { EvidenceInput, EvidenceRef } from '../contracts/evidence.ts';
import { failure } from './failure.ts';

/** Where bulk goes that must not enter a history. */
export interface ObjectStore {
  /**
   * Stores a body under a key, once: an object there with the same SHA-256 is left as it is.
   * @throws Forbidden, NotFound (no such bucket), Interfered (another body under this key), Unavailable
   */
  put(object: EvidenceInput): Promise<EvidenceRef>;
  /** What is stored under a key; undefined when nothing is. @throws as put */
  find(key: string): Promise<EvidenceRef | undefined>;
  /** Whether the bucket can be reached and used. @throws as put */
  check(): Promise<void>;
}

export interface ObjectStoreOptions {
  endpoint: string;
  bucket: string;
  region?: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** A client that asks once: Temporal retries the activity and shows that it does. */
export const connectS3 = ({
  endpoint,
  region = 'us-east-1',
  accessKeyId,
  secretAccessKey,
}: ObjectStoreOptions): S3Client =>
  new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  });

/** For messages. */
export const whereOf = ({ bucket, endpoint }: ObjectStoreOptions): string => `bucket ${bucket} at ${endpoint}`;

/**
 * An S3 bucket. The body's SHA-256 travels with each put, so the store refuses what arrives damaged; `If-None-Match`
 * makes a repeated put find the first one instead of writing over it.
 */
export function createObjectStore(options: ObjectStoreOptions): ObjectStore {
  const { bucket } = options;
  const s3 = connectS3(options);
  const where = whereOf(options);

  return {
    async put({ key, contentType, body }) {
      const bytes = Buffer.from(body, 'utf8');
      const sha256 = createHash('sha256').update(bytes);
      const digest = sha256.copy().digest('hex');
      const request = { ContentType: contentType, ChecksumSHA256: sha256.digest('base64'), Body: bytes };
      for (const name of [key, withDigest(key, digest)]) {
        const there = (await putOnce(name, request)) ? digest : (await found(name))?.sha256;
        if (there === digest)
          return { uri: `s3://${bucket}/${name}`, sha256: digest, bytes: bytes.length, contentType };
      }
      throw failure('Interfered', `${where} holds something else under ${withDigest(key, digest)}: look who wrote it`);
    },

    find: (key) => found(key),

    async check() {
      await named(where, () => s3.send(new HeadBucketCommand({ Bucket: bucket })));
    },
  };

  /** False when an object of that name is there already. */
  async function putOnce(key: string, request: Omit<PutObjectCommandInput, 'Bucket' | 'Key'>): Promise<boolean> {
    return named(where, async () => {
      try {
        await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, IfNoneMatch: '*', ...request }));
        return true;
      } catch (error) {
        if (statusOf(error) === 412) return false;
        throw error;
      }
    });
  }

  // Hashed here, not read from a header: stores accept checksum headers and do not all keep them.
  async function found(key: string): Promise<EvidenceRef | undefined> {
    return named(where, async () => {
      try {
        const { Body, ContentType } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        return { uri: `s3://${bucket}/${key}`, sha256, bytes: bytes.length, contentType: ContentType ?? '' };
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    });
  }
}

/** `a/job.log` → `a/job.1f3870be274f.log`: evidence of an earlier attempt stays beside that of a later one. */
function withDigest(key: string, digest: string): string {
  const [, stem = key, extension = ''] = /^(.+?)(\.[^./]+)?$/.exec(key) ?? [];
  return `${stem}.${digest.slice(0, 12)}${extension}`;
}

/** HTTP status of an answer of the store. */
export const statusOf = (error: unknown) =>
  error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;

/** Puts errors of the store in our terms. @throws Forbidden, NotFound (no such bucket), Unavailable */
export async function named<T>(where: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const status = statusOf(error);
    const came = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    if (status === 401 || status === 403) {
      throw failure('Forbidden', `${where} refuses the worker's credentials (HTTP ${status}): check key and policy`);
    }
    if (status === 404) throw failure('NotFound', `${where} does not exist: create it, or correct WINDLASS_S3_BUCKET`);
    throw failure('Unavailable', `${where} does not answer as expected (${came})`);
  }
}
