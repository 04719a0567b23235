import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { failure } from '../failure.ts';

// The format of an encrypted backup, version 1:
//
//   header   "WINDLSS1" (8 bytes) · key id (8) · salt (32)
//   chunks   AES-256-GCM of 64 KiB of text each (the last one of 0 to 64 KiB), each followed by its tag (16)
//
// The chunks are a STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-Encryption and its Nonce-Reuse
// Misuse-Resistance", CRYPTO 2015): the nonce of a chunk is its number and whether it is the last one, so a chunk that
// is missing, moved or repeated, and a file that is cut off between two chunks, do not decipher. Every file has a key of
// its own (HKDF-SHA-256 of the backup key and the salt), so that no nonce is used twice with one key.

const MAGIC = Buffer.from('WINDLSS1', 'latin1');
const KEY_ID_BYTES = 8;
const SALT_BYTES = 32;
const HEADER_BYTES = MAGIC.length + KEY_ID_BYTES + SALT_BYTES;
const CHUNK_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/** The key behind a reference: 32 bytes in base64. @throws SecretMissing when it is none; the value is never quoted */
export function parseKey(text: string, reference: string): Buffer {
  const key = Buffer.from(text, 'base64');
  if (key.length === KEY_BYTES) return key;
  throw failure(
    'SecretMissing',
    `secret ${reference}: expected ${KEY_BYTES} bytes in base64 (openssl rand -base64 32), got ${key.length} bytes`,
  );
}

/** Names a key without telling it: the first 8 bytes of the SHA-256 of its SHA-256, in hexadecimal. */
export const keyIdOf = (key: Buffer): string => keyId(key).toString('hex');

const keyId = (key: Buffer): Buffer =>
  createHash('sha256').update(createHash('sha256').update(key).digest()).digest().subarray(0, KEY_ID_BYTES);

const fileKey = (key: Buffer, salt: Buffer): Buffer => Buffer.from(hkdfSync('sha256', key, salt, MAGIC, KEY_BYTES));

function nonceOf(chunk: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(chunk, 5, 6);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** Cuts a stream into pieces of one size; the last one, which may be empty, is what remains. */
async function* pieces(source: AsyncIterable<Buffer>, size: number): AsyncGenerator<{ piece: Buffer; last: boolean }> {
  let waiting: Buffer[] = [];
  let bytes = 0;
  for await (let data of source) {
    // One piece is held back, because only the end of the stream shows which one is the last.
    while (bytes + data.length > size) {
      const rest = size - bytes;
      yield { piece: joined([...waiting, data.subarray(0, rest)]), last: false };
      data = data.subarray(rest);
      waiting = [];
      bytes = 0;
    }
    waiting.push(data);
    bytes += data.length;
  }
  yield { piece: joined(waiting), last: true };
}

/** Without a copy when there is nothing to join: what is copied is garbage at once, and of a stream that is much. */
const joined = (parts: Buffer[]): Buffer => (parts.length === 1 ? parts[0]! : Buffer.concat(parts));

/** Encrypts a stream; a step of a `pipeline`. */
export async function* encrypt(source: AsyncIterable<Buffer>, key: Buffer): AsyncGenerator<Buffer> {
  const salt = randomBytes(SALT_BYTES);
  const secret = fileKey(key, salt);
  yield Buffer.concat([MAGIC, keyId(key), salt]);
  let chunk = 0;
  for await (const { piece, last } of pieces(source, CHUNK_BYTES)) {
    const cipher = createCipheriv('aes-256-gcm', secret, nonceOf(chunk++, last));
    yield cipher.update(piece);
    cipher.final(); // Of this mode it has no bytes.
    yield cipher.getAuthTag();
  }
}

/**
 * Deciphers a stream; a step of a `pipeline`. Nothing is passed on that has not been authenticated.
 * @throws BackupCorrupt; WrongKey when it was encrypted with another key
 */
export async function* decrypt(source: AsyncIterable<Buffer>, key: Buffer): AsyncGenerator<Buffer> {
  const { header, rest } = await splitHeader(source);
  const secret = fileKey(key, saltOf(header, key));
  let chunk = 0;
  for await (const { piece, last } of pieces(rest, CHUNK_BYTES + TAG_BYTES)) {
    if (piece.length < TAG_BYTES) throw corrupt(`it ends within chunk ${chunk}`);
    const decipher = createDecipheriv('aes-256-gcm', secret, nonceOf(chunk, last));
    decipher.setAuthTag(piece.subarray(piece.length - TAG_BYTES));
    let text: Buffer;
    try {
      text = decipher.update(piece.subarray(0, piece.length - TAG_BYTES));
      decipher.final();
    } catch {
      throw corrupt(`chunk ${chunk} does not decipher: it was altered, moved, or what follows it is missing`);
    }
    chunk += 1;
    yield text;
  }
}

async function splitHeader(source: AsyncIterable<Buffer>): Promise<{ header: Buffer; rest: AsyncIterable<Buffer> }> {
  const iterator = source[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  let head: Buffer = Buffer.alloc(0);
  while (head.length < HEADER_BYTES) {
    const { value, done } = await iterator.next();
    if (done) throw corrupt(`it has ${head.length} bytes, fewer than its header`);
    head = Buffer.concat([head, value]);
  }
  const rest = async function* () {
    yield head.subarray(HEADER_BYTES);
    yield* { [Symbol.asyncIterator]: () => iterator };
  };
  return { header: head.subarray(0, HEADER_BYTES), rest: rest() };
}

function saltOf(header: Buffer, key: Buffer): Buffer {
  if (!header.subarray(0, MAGIC.length).equals(MAGIC)) throw corrupt('it does not begin as a backup does');
  const found = header.subarray(MAGIC.length, MAGIC.length + KEY_ID_BYTES);
  if (!found.equals(keyId(key)))
    throw failure(
      'WrongKey',
      `the backup was encrypted with key ${found.toString('hex')}, the catalog's key is ${keyIdOf(key)}: name that key`,
    );
  return header.subarray(HEADER_BYTES - SALT_BYTES);
}

const corrupt = (what: string) => failure('BackupCorrupt', `the backup cannot be read: ${what}. Use another one.`);
