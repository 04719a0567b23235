import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { decrypt, encrypt, keyIdOf, parseKey } from '../../src/adapters/backup/cipher.ts';

const KEY = randomBytes(32);
const HEADER = 48;
const CHUNK = 64 * 1024 + 16;

/** What comes out of a step that gets the bytes in pieces of no special size. */
async function through(step: typeof encrypt, bytes: Buffer, key = KEY): Promise<Buffer> {
  const cut = async function* () {
    for (let at = 0; at < bytes.length; at += 50_001) yield bytes.subarray(at, at + 50_001);
  };
  return buffer(Readable.from(step(cut(), key)));
}

describe('an encrypted backup', () => {
  test.each([0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_000])('of %i bytes comes back as it was', async (size) => {
    const text = randomBytes(size);
    const sealed = await through(encrypt, text);
    expect(sealed.length).toBe(HEADER + size + 16 * Math.max(1, Math.ceil(size / 65_536)));
    expect((await through(decrypt, sealed)).equals(text)).toBe(true);
  });

  test('never looks the same twice', async () => {
    const text = Buffer.alloc(1000);
    const [one, other] = [await through(encrypt, text), await through(encrypt, text)];
    expect(one.subarray(HEADER).equals(other.subarray(HEADER))).toBe(false);
  });

  const swap = (sealed: Buffer): Buffer =>
    Buffer.concat([
      sealed.subarray(0, HEADER),
      sealed.subarray(HEADER + CHUNK, HEADER + 2 * CHUNK),
      sealed.subarray(HEADER, HEADER + CHUNK),
      sealed.subarray(HEADER + 2 * CHUNK),
    ]);
  const flip = (at: number) => (sealed: Buffer) => {
    const altered = Buffer.from(sealed);
    altered[at]! ^= 1;
    return altered;
  };
  test.each<[string, (sealed: Buffer) => Buffer]>([
    ['one bit of its text is another', flip(HEADER + 70_000)],
    ['one bit of its salt is another', flip(20)],
    ['it does not begin as a backup', flip(0)],
    ['it is cut off within a chunk', (sealed) => sealed.subarray(0, HEADER + CHUNK + 100)],
    ['it is cut off between two chunks', (sealed) => sealed.subarray(0, HEADER + 2 * CHUNK)],
    ['it is cut off within its header', (sealed) => sealed.subarray(0, 30)],
    ['it is empty', () => Buffer.alloc(0)],
    ['two chunks have changed places', swap],
    ['something was added', (sealed) => Buffer.concat([sealed, Buffer.from('more')])],
  ])('is refused when %s', async (_, spoil) => {
    const sealed = await through(encrypt, randomBytes(200_000));
    await expect(through(decrypt, spoil(sealed))).rejects.toMatchObject({ type: 'BackupCorrupt' });
  });

  test('names the key that it needs when another one is given', async () => {
    const other = randomBytes(32);
    const sealed = await through(encrypt, Buffer.from('secret'));
    await expect(through(decrypt, sealed, other)).rejects.toMatchObject({
      type: 'WrongKey',
      message: expect.stringContaining(keyIdOf(KEY)),
    });
  });
});

test('a key that is none is refused without being quoted', () => {
  expect(parseKey(KEY.toString('base64'), 'env:KEY').equals(KEY)).toBe(true);
  expect(() => parseKey('hunter2-hunter2', 'env:KEY')).toThrow(/env:KEY: expected 32 bytes/);
  expect(() => parseKey('hunter2-hunter2', 'env:KEY')).not.toThrow(/hunter2/);
});
