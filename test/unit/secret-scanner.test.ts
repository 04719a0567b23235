import { gzipSync, zstdCompressSync } from 'node:zlib';
import { findSecrets } from '../support/secret-scanner.ts';

const CANARY = 'c4n@ry "4711"/ß';
const secrets = { canary: CANARY };
const wrappings = (seen: string | Uint8Array) => findSecrets(seen, secrets).map(({ wrapped }) => wrapped);

const base64 = (text: string | Buffer) => Buffer.from(text as string).toString('base64');
const json = (text: string) => JSON.stringify({ text });

test.each<[form: string, leak: string | Uint8Array, wrapped: string]>([
  ['open', `x=${CANARY};`, ''],
  ['in bytes', Buffer.concat([Buffer.of(0, 255, 31), Buffer.from(CANARY), Buffer.of(0)]), ''],
  ['in base64', base64(CANARY), 'base64'],
  ['in base64, one byte later', base64(`1${CANARY} and more`), 'base64'],
  ['in base64, two bytes later', base64(`12${CANARY} and more`), 'base64'],
  ['in base64 of URLs, without padding', Buffer.from(`????>>>>${CANARY}`).toString('base64url'), 'base64'],
  ['in base64 that follows a word', `token${base64(CANARY)}`, 'base64'],
  ['in base64 of several lines', base64(`${'text '.repeat(30)}${CANARY}`).replaceAll(/.{76}/g, '$&\r\n'), 'base64'],
  ['in hexadecimal', Buffer.from(CANARY).toString('hex'), 'hex'],
  ['in capital hexadecimal, after a digit', `5${Buffer.from(CANARY).toString('hex').toUpperCase()}`, 'hex'],
  ['in a URL', `https://x/?q=${encodeURIComponent(CANARY)}`, 'url'],
  ['in a form', new URLSearchParams({ q: CANARY }).toString(), 'url'],
  ['in JSON', json(CANARY), 'json'],
  ['in JSON of ASCII only', json(CANARY).replaceAll('ß', '\\u00df'), 'json'],
  ['in JSON in JSON', json(json(CANARY)), 'json > json'],
  ['as a buffer in JSON', JSON.stringify(Buffer.from(CANARY)), 'bytes'],
  ['in gzip', gzipSync(`${'text '.repeat(99)}${CANARY}`), 'gzip'],
  ['in gzip among other bytes', Buffer.concat([Buffer.from('before'), gzipSync(CANARY), Buffer.from('after')]), 'gzip'],
  ['in gzip that is cut off', gzipSync(CANARY + 'x').subarray(0, -8), 'gzip'],
  ['in zstd', zstdCompressSync(`${'text '.repeat(99)}${CANARY}`), 'zstd'],
  ['in zstd among other bytes', Buffer.concat([Buffer.from('before'), zstdCompressSync(CANARY), Buffer.from('after')]), 'zstd'], // prettier-ignore
  ['in gzip in base64 in JSON', json(base64(gzipSync(CANARY))), 'base64 > gzip'],
  ['in zstd in base64 in a URL', `?d=${encodeURIComponent(base64(zstdCompressSync(CANARY)))}`, 'url > base64 > zstd'],
  ['in JSON in base64 in JSON in base64', base64(json(base64(json(CANARY)))), 'base64 > base64 > json'],
])('a leak is found %s', (_, leak, wrapped) => {
  expect(wrappings(leak)).toContain(wrapped);
});

test.each([
  ['another text', 'c4n@ry "4712"/ß'],
  ['base64 of another text', base64('c4n@ry "4712"/ß')],
  ['what only begins like gzip and zstd', Buffer.from('1f8b08000028b52ffd00', 'hex')],
  ['nothing', ''],
])('what is no leak is none: %s', (_, seen) => {
  expect(findSecrets(seen, secrets)).toEqual([]);
});

test('a finding names the secret and does not show it', () => {
  const found = findSecrets(`${CANARY} and ${base64('other-secret')}`, { ...secrets, other: 'other-secret' });
  expect(found).toContainEqual({ secret: 'canary', wrapped: '' });
  expect(found).toContainEqual({ secret: 'other', wrapped: 'base64' });
  expect(JSON.stringify(found)).not.toMatch(/c4n|other-secret/);
});

test('a secret that would be found by chance is refused', () => {
  expect(() => findSecrets('', { pin: '1234567' })).toThrow('the secret pin has fewer than 8 bytes');
});
