import { randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { needleScanner } from '../support/needle-scanner.ts';

const CANARY = 'canary-4711+/=';
const find = needleScanner({ canary: CANARY, other: 'another-secret' });
/** So varied that it is really compressed. */
const TEXT = Array.from({ length: 300 }, (_, index) => `word${(index * 7919) % 1000}`).join(' ');
const base64 = (text: string | Buffer) => Buffer.from(text as string).toString('base64');

test.each<[form: string, leak: string | Uint8Array, wrapped: string]>([
  ['open', `x=${CANARY};`, ''],
  ['at the end', CANARY, ''],
  ['in bytes', Buffer.concat([Buffer.of(0, 255, 31), Buffer.from(CANARY), Buffer.of(0)]), ''],
  ...([0, 1, 2, 3] as const).map((n): [string, string, string] => [`in base64, ${n} bytes later`, base64(`${'1'.repeat(n)}${CANARY} and more`), 'base64']), // prettier-ignore
  ['in base64 of URLs', Buffer.from(`????>>>>${CANARY}`).toString('base64url'), 'base64'],
  ['in base64 in base64', base64(`1${base64(`12${CANARY}`)}`), 'base64 > base64'],
  ['in hexadecimal', Buffer.from(CANARY).toString('hex'), 'hex'],
  ['in capital hexadecimal', Buffer.from(CANARY).toString('hex').toUpperCase(), 'hex'],
  ['in a URL', `https://x/?q=${encodeURIComponent(CANARY)}`, 'url'],
  ['in base64 in a URL', `?q=${encodeURIComponent(base64(`1${CANARY}?`))}`, 'base64'],
  ['as a buffer in JSON', JSON.stringify(Buffer.from(CANARY)), 'bytes'],
  ['in gzip', Buffer.concat([Buffer.from('before'), gzipSync(TEXT + CANARY)]), 'gzip'],
  ['in zstd', zstdCompressSync(TEXT + CANARY), 'zstd'],
  ...([0, 1, 2] as const).map((n): [string, string, string] => [`in gzip in base64, ${n} bytes later`, base64(Buffer.concat([Buffer.alloc(n), gzipSync(CANARY)])), 'base64 > gzip']), // prettier-ignore
  ['in zstd in base64', JSON.stringify({ data: base64(zstdCompressSync(TEXT + CANARY)) }), 'base64 > zstd'],
])('a leak is found %s', (_, leak, wrapped) => {
  expect(find(leak)).toContainEqual({ secret: 'canary', wrapped });
});

test('what is no leak is none: random bytes, half of a secret, base64 and gzip of another text', () => {
  const none = [randomBytes(1_000_000), CANARY.slice(0, -1), base64('canary-4712+/='), gzipSync('canary-4712+/='), ''];
  expect(none.flatMap((each) => find(each))).toEqual([]);
});

test('a secret that would be found by chance is refused', () => {
  expect(() => needleScanner({ pin: '12345678901' })).toThrow('the secret pin has fewer than 12 bytes');
});
