import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { ApplicationFailure } from '@temporalio/common';
import { failure } from '../failure.ts';

/** A bucket that holds backups. Keys are as stored, the prefix included. */
export interface BackupStore {
  /**
   * Uploads a stream in parts; what an earlier attempt left of the same key is aborted first.
   * @param atMost how many bytes are expected, rather too many: there may be 10,000 parts, and some of them are in memory
   */
  upload(key: string, body: Readable, atMost: number, signal: AbortSignal): Promise<void>;
  /** @throws NotFound */
  download(key: string, signal: AbortSignal): Promise<Readable>;
  putText(key: string, text: string): Promise<void>;
  /** Undefined when there is none. */
  readText(key: string): Promise<string | undefined>;
  /** Keys that begin so, sorted. */
  list(prefix: string): Promise<string[]>;
  /** Nothing happens when it is not there. */
  remove(key: string): Promise<void>;
  close(): void;
}

export interface BackupStoreOptions {
  endpoint?: string;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** The least that S3 takes (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html). */
const LEAST_PART_BYTES = 5 * 1024 * 1024;
/** Fewer than the 10,000 that S3 takes: a dump may be somewhat larger than its database. */
const MOST_PARTS = 8_000;
/** So many are in memory at most, and one that is being filled. */
const PARTS_AT_ONCE = 2;

/** @throws ApplicationFailure Forbidden, NotFound (no such bucket), Unavailable: every member */
export function openBackupStore({ endpoint, bucket, region, ...credentials }: BackupStoreOptions): BackupStore {
  const s3 = new S3Client({
    ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
    region,
    credentials,
    // A backup has its own: SHA-256 of the object in its manifest, and a tag on every chunk.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 60_000, throwOnRequestTimeout: true },
  });
  const where = `bucket ${bucket}${endpoint ? ` at ${endpoint}` : ''}`;
  const ask = <T>(work: () => Promise<T>): Promise<T> => named(where, work);

  return {
    async upload(key, body, atMost, signal) {
      await ask(() => abortUnfinished(key));
      const upload = new Upload({
        client: s3,
        params: { Bucket: bucket, Key: key, Body: body, ContentType: 'application/octet-stream' },
        partSize: Math.max(LEAST_PART_BYTES, Math.ceil(atMost / MOST_PARTS)),
        queueSize: PARTS_AT_ONCE,
      });
      const stop = () => void upload.abort();
      signal.addEventListener('abort', stop);
      try {
        await ask(() => upload.done());
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },
    download: (key, signal) =>
      ask(async () => {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
        return Body as Readable;
      }),
    async putText(key, text) {
      await ask(() =>
        s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType: 'application/json' })),
      );
    },
    readText: (key) =>
      ask(async () => {
        try {
          const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
          return await Body?.transformToString();
        } catch (error) {
          if (error instanceof NoSuchKey) return undefined;
          throw error;
        }
      }),
    list: (prefix) =>
      ask(async () => {
        const keys: string[] = [];
        for (let token: string | undefined, more = true; more;) {
          const page = await s3.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix,
              ...(token ? { ContinuationToken: token } : {}),
            }),
          );
          keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []));
          token = page.NextContinuationToken;
          more = token !== undefined;
        }
        return keys.sort();
      }),
    async remove(key) {
      await ask(() => s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key })));
    },
    close: () => s3.destroy(),
  };

  /** Parts of an upload whose process died are kept, and paid for, until somebody aborts it. */
  async function abortUnfinished(key: string): Promise<void> {
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key }));
    for (const { Key, UploadId } of Uploads)
      if (Key === key) await s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId }));
  }
}

async function named<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // A stream that is being stored fails with the failure of what makes it.
    if (error instanceof ApplicationFailure) throw error;
    const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
    if (status === 401 || status === 403)
      throw failure(
        'Forbidden',
        `${where} refuses the credentials of the catalog (HTTP ${status}): check key and policy`,
      );
    if (status === 404) throw failure('NotFound', `${where} has no such bucket or object`);
    const { name, message } = error as Error;
    throw failure('Unavailable', `${where} does not answer as expected (${name}: ${message})`);
  }
}
