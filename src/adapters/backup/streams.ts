import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BackupManifest } from '../../contracts/backup.ts';
import { failure } from '../failure.ts';
import { decrypt, encrypt } from './cipher.ts';
import type { BackupStore } from './store.ts';
import { startTool, startZstd, type PostgresTarget } from './tools.ts';

export interface StreamOptions {
  target: PostgresTarget;
  store: BackupStore;
  objectKey: string;
  encryptionKey: Buffer;
  signal: AbortSignal;
  /** Bytes of the object so far. */
  onProgress: (bytes: number) => void;
}

/** The level at which zstd is as fast as the disk of a small server. */
const LEVEL = '-3';

/**
 * pg_dump → zstd → AES-256-GCM → object store, without a local disk and within bounded memory: each part waits for the
 * next one. The first two are processes, and what goes from one to the other does not pass through this one. Every
 * process of it ends when one part fails.
 * @param of.snapshot exported by a transaction that stays open meanwhile
 * @throws ApplicationFailure of whichever part failed first
 */
export async function streamDump(
  { target, store, objectKey, encryptionKey, signal, onProgress }: StreamOptions,
  { snapshot, databaseBytes }: { snapshot: string; databaseBytes: number },
): Promise<Pick<BackupManifest, 'object'>> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const zstd = startZstd({ args: [LEVEL, '--quiet', '--stdout'], signal: either });
  const args = ['--format=custom', '--compress=0', `--snapshot=${snapshot}`];
  const dump = startTool('pg_dump', target, { args, signal: either, into: zstd });
  const sealed = meter(onProgress);
  const body = new PassThrough();
  const output = async function* () {
    yield* zstd.stdout as AsyncIterable<Buffer>;
    // What failed half way ends its output like what is whole. A dump that lost its reader fails too, for that reason.
    await zstd.ended;
    await dump.ended;
  };
  try {
    const flow = pipeline(output, (source: AsyncIterable<Buffer>) => encrypt(source, encryptionKey), sealed.step, body);
    await together(flow, store.upload(objectKey, body, databaseBytes, either));
    return { object: { key: objectKey, ...sealed.read() } };
  } finally {
    stop.abort();
  }
}

/**
 * Object store → decipher → zstd → pg_restore into an empty database.
 * @throws ApplicationFailure BackupCorrupt when the object is not the one of the manifest, WrongKey, and as `streamDump`
 */
export async function streamRestore(
  { target, store, objectKey, encryptionKey, signal, onProgress }: StreamOptions,
  expected: Pick<BackupManifest, 'object'>,
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const body = await store.download(objectKey, either);
  const restore = startTool('pg_restore', target, { args: ['--format=custom', '--exit-on-error'], signal: either });
  restore.stdout.resume();
  const zstd = startZstd({ args: ['--decompress', '--quiet', '--stdout'], signal: either, into: restore });
  const sealed = meter(onProgress);
  // One that lost its reader fails too: what counts is why that one ended.
  const unpacked = zstd.ended.catch((error: Error) => restore.ended.then(() => Promise.reject(error)));
  try {
    const flow = pipeline(
      body,
      sealed.step,
      (source: AsyncIterable<Buffer>) => decrypt(source, encryptionKey),
      zstd.stdin,
    );
    await together(flow.catch(unlessBrokenPipe), unpacked, restore.ended);
    const found = sealed.read();
    if (found.sha256 !== expected.object.sha256)
      throw failure(
        'BackupCorrupt',
        `${objectKey} has SHA-256 ${found.sha256}, its manifest says ${expected.object.sha256}`,
      );
  } finally {
    stop.abort();
  }
}

/** Both, or the failure of the first that fails; the caller then ends the other. */
async function together(...parts: Promise<unknown>[]): Promise<void> {
  parts.forEach((part) => void part.catch(() => undefined));
  await Promise.all(parts);
}

/** A program that gives up closes its input; why it gave up is in its own failure. */
function unlessBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
}

/** A step of a pipeline that counts and hashes what flows by. */
interface Meter {
  step: (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>;
  read: () => { bytes: number; sha256: string };
}

function meter(onBytes: (bytes: number) => void): Meter {
  const hash = createHash('sha256');
  let bytes = 0;
  return {
    step: async function* (source: AsyncIterable<Buffer>) {
      for await (const data of source) {
        hash.update(data);
        bytes += data.length;
        onBytes(bytes);
        yield data;
      }
    },
    read: () => ({ bytes, sha256: hash.copy().digest('hex') }),
  };
}
