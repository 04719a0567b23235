import { randomBytes, randomInt } from 'node:crypto';
import { inspect } from 'node:util';
import type { Payload } from '@temporalio/common';
import { encryptionOf } from '../../src/adapters/temporal/data-converter.ts';
import { createPayloadCodec } from '../../src/adapters/temporal/payload-codec.ts';
import { openKeyRing, payloadKeys } from '../../src/adapters/temporal/payload-keys.ts';
import { createSecretResolver } from '../../src/adapters/secrets.ts';

const CANARY = 'canary-4711';
const KEYS = { A: randomBytes(32).toString('base64'), B: randomBytes(32).toString('hex') };

const ringOf = (text: string, env: Record<string, string> = KEYS) =>
  openKeyRing(payloadKeys.parse(text), createSecretResolver({ env }));
const codecOf = async (text: string) => createPayloadCodec(await ringOf(text));

const payload = (text: string): Payload => ({
  metadata: { encoding: Buffer.from('json/plain'), note: Buffer.from(text) },
  data: Buffer.from(JSON.stringify(text)),
});

/** Byte for byte, whatever kind of array holds them. */
const bytesOf = ({ metadata, data }: Payload) => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('hex')]),
  ),
  data: Buffer.from(data ?? []).toString('hex'),
});

const textIn = ({ metadata, data }: Payload): string =>
  Buffer.concat([...Object.entries(metadata ?? {}).flatMap(([name, value]) => [Buffer.from(name), value]), data ?? Buffer.of()]).toString('latin1'); // prettier-ignore

async function failureOf(running: Promise<unknown>): Promise<{ type: string; nonRetryable: boolean; message: string }> {
  const error = await running.then(
    () => new Error('it did not fail'),
    (raised: unknown) => raised as Error,
  );
  // Whatever of the error is printed anywhere.
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(CANARY);
  for (const key of Object.values(KEYS)) expect(inspect(error, { depth: 10 })).not.toContain(key);
  return error as never;
}

test('any payload comes back byte for byte, and nothing of it is in what is stored', async () => {
  const codec = await codecOf('2026-11=env:A');
  for (let round = 0; round < 300; round++) {
    const size = [0, 1, 15, 16, 17, randomInt(5_000)][round % 6]!;
    const names = Array.from({ length: randomInt(1, 4) }, (_, at) => `name-${at}`);
    const original: Payload = {
      metadata: Object.fromEntries(names.map((name) => [name, randomBytes(randomInt(40))])),
      data: Buffer.concat([Buffer.from(CANARY), randomBytes(size)]),
    };
    const [stored] = await codec.encode([original]);
    const [back] = await codec.decode([stored!]);
    expect(bytesOf(back!)).toEqual(bytesOf(original));
    expect(textIn(stored!)).not.toContain(CANARY);
    expect(textIn(stored!)).not.toContain('name-');
  }
});

test('what is stored says by which key, and no two are alike', async () => {
  const codec = await codecOf('2026-11=env:A');
  const [one, other] = await codec.encode([payload(CANARY), payload(CANARY)]);
  expect(Buffer.from(one!.metadata!['encoding']!).toString()).toBe('binary/encrypted');
  expect(Buffer.from(one!.metadata!['encryption-key-id']!).toString()).toBe('2026-11');
  expect(bytesOf(one!).data).not.toBe(bytesOf(other!).data);
});

test('a payload from before there was a key is read as it is', async () => {
  const codec = await codecOf('2026-11=env:A');
  expect(await codec.decode([payload('old')])).toEqual([payload('old')]);
});

test('after a rotation the new key encrypts and both decipher', async () => {
  const before = await codecOf('a=env:A');
  const after = await codecOf('b=env:B,a=env:A');
  const [old] = await before.encode([payload(CANARY)]);
  const [fresh] = await after.encode([payload(CANARY)]);

  expect(Buffer.from(fresh!.metadata!['encryption-key-id']!).toString()).toBe('b');
  expect((await after.decode([old!, fresh!])).map(bytesOf)).toEqual([payload(CANARY), payload(CANARY)].map(bytesOf));
});

test('a key that is not at hand is named, with those that are', async () => {
  const [old] = await (await codecOf('a=env:A')).encode([payload(CANARY)]);
  expect(await failureOf((await codecOf('b=env:B')).decode([old!]))).toMatchObject({
    type: 'WrongKey',
    nonRetryable: true,
    message: 'a payload was encrypted with key "a", and WINDLASS_PAYLOAD_KEYS has b: add that key at its end',
  });
  const { dataConverter } = await encryptionOf({});
  expect(await failureOf(dataConverter.payloadCodecs![0]!.decode([old!]))).toMatchObject({
    type: 'WrongKey',
    message: 'a payload was encrypted with key "a", and WINDLASS_PAYLOAD_KEYS is not set',
  });
});

test('after `plain` the keys only decipher', async () => {
  const [old] = await (await codecOf('a=env:A')).encode([payload(CANARY)]);
  const codec = await codecOf('plain,a=env:A');
  expect(await codec.encode([payload('new')])).toEqual([payload('new')]);
  expect((await codec.decode([old!])).map(bytesOf)).toEqual([bytesOf(payload(CANARY))]);
});

test('without keys payloads go as they are', async () => {
  const { dataConverter } = await encryptionOf({});
  expect(await dataConverter.payloadCodecs![0]!.encode([payload('plain')])).toEqual([payload('plain')]);
});

const flip = (bytes: Uint8Array, at: number): Buffer => {
  const altered = Buffer.from(bytes);
  altered[at < 0 ? altered.length + at : at]! ^= 1;
  return altered;
};
const encryptedBy = (id: string, data: Uint8Array | null | undefined): Payload => ({
  metadata: { encoding: Buffer.from('binary/encrypted'), 'encryption-key-id': Buffer.from(id) },
  data: data!,
});

test.each<[string, (stored: Payload) => Payload]>([
  ['the first byte of the nonce', ({ data }) => encryptedBy('a', flip(data!, 0))],
  ['the last byte of the nonce', ({ data }) => encryptedBy('a', flip(data!, 11))],
  ['the first byte of the text', ({ data }) => encryptedBy('a', flip(data!, 12))],
  ['the last byte of the text', ({ data }) => encryptedBy('a', flip(data!, -17))],
  ['the first byte of the tag', ({ data }) => encryptedBy('a', flip(data!, -16))],
  ['the last byte of the tag', ({ data }) => encryptedBy('a', flip(data!, -1))],
  ['a byte less at the end', ({ data }) => encryptedBy('a', data!.subarray(0, -1))],
  ['a byte less at the start', ({ data }) => encryptedBy('a', data!.subarray(1))],
  ['a byte more', ({ data }) => encryptedBy('a', Buffer.concat([data!, Buffer.of(0)]))],
  ['nonce and tag alone', ({ data }) => encryptedBy('a', data!.subarray(0, 28))],
  ['less than nonce and tag', ({ data }) => encryptedBy('a', data!.subarray(0, 27))],
  ['nothing at all', () => encryptedBy('a', undefined)],
  ['the id of another key that is at hand', ({ data }) => encryptedBy('b', data)],
])('an altered payload is refused by the id of its key: %s', async (_, alter) => {
  const codec = await codecOf('a=env:A,b=env:B');
  const [stored] = await codec.encode([payload(CANARY)]);
  const altered = alter(stored!);
  const id = Buffer.from(altered.metadata!['encryption-key-id']!).toString();
  expect(await failureOf(codec.decode([altered]))).toMatchObject({
    type: 'PayloadCorrupt',
    nonRetryable: true,
    message: expect.stringContaining(`a payload of key "${id}" cannot be deciphered`),
  });
});

test('the id is bound to the text even when two ids have one key', async () => {
  const [stored] = await (await codecOf('a=env:A')).encode([payload(CANARY)]);
  const error = await failureOf((await codecOf('c=env:A')).decode([encryptedBy('c', stored!.data)]));
  expect(error).toMatchObject({ type: 'PayloadCorrupt' });
});

test('every single bit of a stored payload counts', async () => {
  const codec = await codecOf('a=env:A');
  const [stored] = await codec.encode([payload(CANARY)]);
  for (let at = 0; at < stored!.data!.length; at++)
    await expect(codec.decode([encryptedBy('a', flip(stored!.data!, at))])).rejects.toMatchObject({
      type: 'PayloadCorrupt',
    });
});

test('an id that somebody made up is not printed as it is', async () => {
  const { message } = await failureOf((await codecOf('a=env:A')).decode([encryptedBy('x\n\u001b[31m', Buffer.of())]));
  expect(message).toContain('key "x??');
});

test.each([
  ['', 'entry 1: expected ID=REFERENCE'],
  ['env:A', 'entry 1: expected ID=REFERENCE'],
  [`${KEYS.A}`, 'entry 1: expected ID=REFERENCE'],
  ['a=env:A,', 'entry 2: expected ID=REFERENCE'],
  ['plain', 'expected keys after plain'],
  ['a=env:A,plain', 'entry 2: expected ID=REFERENCE'],
  [`a=${KEYS.B}`, 'key a: expected a reference'],
  ['a=env:A,a=env:B', 'key a is named twice'],
  ['a=env:A,b=env:ABSENT', 'secret env:ABSENT: the variable is not set'],
  ['a=env:SHORT', 'payload key a (env:SHORT): expected 32 bytes in base64 or hexadecimal'],
  ['a=env:LONG', 'payload key a (env:LONG): expected 32 bytes'],
  ['a=env:WORDS', 'payload key a (env:WORDS): expected 32 bytes'],
  ['a=env:A,b=env:SAME', 'payload key b is the same key as another one'],
])('keys that are none are refused, and not quoted: %#', async (text, complaint) => {
  const env = {
    ...KEYS,
    SHORT: randomBytes(31).toString('base64'),
    LONG: randomBytes(33).toString('base64'),
    WORDS: 'correct horse battery staple correct horse b',
    SAME: Buffer.from(KEYS.A, 'base64').toString('hex'),
  };
  const { type, message } = await failureOf(encryptionOf({ ...env, WINDLASS_PAYLOAD_KEYS: text }));
  expect(type).toBe('SecretMissing');
  expect(message).toContain(complaint);
  for (const value of Object.values(env)) expect(message).not.toContain(value);
});

test('a key ring shows no key when it is printed', async () => {
  const ring = await ringOf('a=env:A,b=env:B');
  const printed = inspect(ring, { depth: 10, showHidden: true }) + JSON.stringify(ring);
  for (const key of [KEYS.A, KEYS.B, Buffer.from(KEYS.A, 'base64').toString('hex')]) expect(printed).not.toContain(key);
});
