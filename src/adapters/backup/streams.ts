import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import type { BackupManifest } from '../../contracts/backup.ts';
import { failure } from '../failure.ts';
import { decrypt, encrypt } from './cipher.ts';
import type { BackupStore } from './store.ts';
import { startTool, type PostgresTarget } from './tools.ts';

export interface StreamOptions {
  target: PostgresTarget;
  store: BackupStore;
  objectKey: string;
  encryptionKey: Buffer;
  signal: AbortSignal;
  /** Bytes of the dump so far. */
  onProgress: (bytes: number) => void;
}

/** The level at which zstd is as fast as the disk of a small server. */
const LEVEL = 3;
/** zstd works in a thread of its own: with some input ahead it does not wait for this one, nor this one for each 16 KiB. */
const ZSTD_BUFFERS = { highWaterMark: 1024 * 1024, chunkSize: 256 * 1024 };

/**
 * pg_dump → zstd → AES-256-GCM → object store, without a local disk and within bounded memory: each part waits for the
 * next one. Every process of it ends when one fails.
 * @param snapshot exported by a transaction that stays open meanwhile
 * @throws ApplicationFailure of whichever part failed first
 */
export async function streamDump(
  { target, store, objectKey, encryptionKey, signal, onProgress }: StreamOptions,
  snapshot: string,
): Promise<Pick<BackupManifest, 'dump' | 'object'>> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const args = ['--format=custom', '--compress=0', '--no-password', `--snapshot=${snapshot}`];
  const tool = startTool('pg_dump', target, args, either);
  const [plain, sealed] = [meter(onProgress), meter()];
  const body = new PassThrough();
  const output = async function* () {
    yield* tool.stdout as AsyncIterable<Buffer>;
    // A dump that failed half way ends its output like one that is whole.
    await tool.ended;
  };
  try {
    const flow = pipeline(
      output,
      plain.step,
      createZstdCompress({ ...ZSTD_BUFFERS, params: { [constants.ZSTD_c_compressionLevel]: LEVEL } }),
      (source: AsyncIterable<Buffer>) => encrypt(source, encryptionKey),
      sealed.step,
      body,
    );
    await together(flow, store.upload(objectKey, body, either));
    return { dump: plain.read(), object: { key: objectKey, ...sealed.read() } };
  } finally {
    stop.abort();
    tool.kill();
  }
}

/**
 * Object store → decipher → zstd → pg_restore into an empty database.
 * @throws ApplicationFailure BackupCorrupt when the object is not the one of the manifest, WrongKey, and as `streamDump`
 */
export async function streamRestore(
  { target, store, objectKey, encryptionKey, signal, onProgress }: StreamOptions,
  expected: Pick<BackupManifest, 'dump' | 'object'>,
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const body = await store.download(objectKey, either);
  const tool = startTool('pg_restore', target, ['--format=custom', '--exit-on-error', '--no-password'], either);
  tool.stdout.resume();
  const [sealed, plain] = [meter(), meter(onProgress)];
  try {
    const flow = pipeline(
      body,
      sealed.step,
      (source: AsyncIterable<Buffer>) => decrypt(source, encryptionKey),
      createZstdDecompress(ZSTD_BUFFERS),
      plain.step,
      tool.stdin,
    );
    await together(flow.catch(unlessBrokenPipe), tool.ended);
    const found = sealed.read();
    if (found.sha256 !== expected.object.sha256)
      throw failure(
        'BackupCorrupt',
        `${objectKey} has SHA-256 ${found.sha256}, its manifest says ${expected.object.sha256}`,
      );
  } finally {
    stop.abort();
    tool.kill();
  }
}

/** Both, or the failure of the first that fails; the caller then ends the other. */
async function together(...parts: Promise<unknown>[]): Promise<void> {
  parts.forEach((part) => void part.catch(() => undefined));
  await Promise.all(parts);
}

/** pg_restore that gives up closes its input; why it gave up is in its own failure. */
function unlessBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
}

/** A step of a pipeline that counts and hashes what flows by. */
interface Meter {
  step: (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>;
  read: () => { bytes: number; sha256: string };
}

function meter(onBytes: (bytes: number) => void = () => undefined): Meter {
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
