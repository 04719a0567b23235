import { createHash } from 'node:crypto';
import {
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { isFailure, failure } from './failure.ts';
import { connectS3, named, statusOf, whereOf, type ObjectStoreOptions } from './object-store.ts';

/** A place for what must never be written over. */
export interface SealedStore {
  /**
   * Stores a text under a key, once, under retention where the bucket has object lock. The same text again finds the
   * first one.
   * @throws Interfered when another text is there; Forbidden, NotFound (no such bucket), Unavailable
   */
  seal(key: string, text: string): Promise<Sealed>;
  /** The text of a version; of the newest without one. Undefined when there is none. @throws as seal */
  read(key: string, version?: string): Promise<string | undefined>;
}

export interface Sealed {
  /** Of the object, where the bucket has versions: a later one on top of it changes nothing. */
  version?: string;
  /** ISO 8601. Absent when nothing but permissions keeps the object. */
  retainUntil?: string;
}

export interface SealedStoreOptions extends ObjectStoreOptions {
  /** `off` asks for no retention even of a bucket that has object lock. */
  lock: 'compliance' | 'governance' | 'off';
  retentionMs: number;
}

/** An S3 bucket, locked objects in it where the bucket was made with object lock. */
export function createSealedStore(options: SealedStoreOptions): SealedStore {
  const { bucket: Bucket, lock, retentionMs } = options;
  const s3 = connectS3(options);
  const where = whereOf(options);
  let locks: Promise<boolean> | undefined;

  return {
    async seal(key, text) {
      const body = Buffer.from(text, 'utf8');
      const retention = await retentionNow();
      return asked(async () => {
        try {
          const { VersionId } = await s3.send(
            new PutObjectCommand({
              ...{ Bucket, Key: key, Body: body, ContentType: 'application/json', IfNoneMatch: '*', ...retention },
              ChecksumSHA256: createHash('sha256').update(body).digest('base64'),
            }),
          );
          return await sealedAs(key, VersionId);
        } catch (error) {
          if (statusOf(error) !== 412) throw error;
        }
        const { Body, VersionId } = await s3.send(new GetObjectCommand({ Bucket, Key: key }));
        if ((await Body?.transformToString()) === text) return sealedAs(key, VersionId);
        throw failure('Interfered', `${where} holds something else under ${key}: look who wrote it`);
      });
    },

    async read(key, version) {
      return asked(async () => {
        try {
          const at = { Bucket, Key: key, ...(version ? { VersionId: version } : {}) };
          const { Body } = await s3.send(new GetObjectCommand(at));
          return (await Body?.transformToString()) ?? '';
        } catch (error) {
          // A version that is gone is 404 as NoSuchKey or NoSuchVersion, by store.
          if (statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket') return undefined;
          throw error;
        }
      });
    },
  };

  /** As the store says afterwards: a header that was accepted proves nothing. */
  async function sealedAs(key: string, version: string | undefined): Promise<Sealed> {
    const at = { Bucket, Key: key, ...(version ? { VersionId: version } : {}) };
    const { ObjectLockRetainUntilDate: until } = await s3.send(new HeadObjectCommand(at));
    return { ...(version ? { version } : {}), ...(until ? { retainUntil: until.toISOString() } : {}) };
  }

  async function retentionNow() {
    if (lock === 'off') return {};
    locks ??= asked(hasLock);
    // One that could not be asked now may be asked later.
    locks.catch(() => (locks = undefined));
    if (!(await locks)) return {};
    const mode = lock === 'compliance' ? ('COMPLIANCE' as const) : ('GOVERNANCE' as const);
    return { ObjectLockMode: mode, ObjectLockRetainUntilDate: new Date(Date.now() + retentionMs) };
  }

  async function hasLock(): Promise<boolean> {
    try {
      const { ObjectLockConfiguration } = await s3.send(new GetObjectLockConfigurationCommand({ Bucket }));
      return ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled';
    } catch (error) {
      if ((error as Error).name === 'ObjectLockConfigurationNotFoundError' || statusOf(error) === 501) return false;
      throw error;
    }
  }

  async function asked<T>(ask: () => Promise<T>): Promise<T> {
    let known: unknown;
    try {
      return await named(where, () =>
        ask().catch((error: unknown) => {
          known = error;
          throw error;
        }),
      );
    } catch (error) {
      // What has a name already keeps it.
      throw isFailure(known, 'Interfered') ? known : error;
    }
  }
}
