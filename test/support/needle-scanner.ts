import { findSecrets, type Finding } from './secret-scanner.ts';

// Looks for secrets in a great deal of bytes. `findSecrets` unwraps whatever could be a wrapping, which takes seconds for a megabyte;
// here the secrets are wrapped instead, in one and in two layers, and all of them are looked for in one pass. Only what
// says that it is compressed, openly or in base64, is unwrapped.

/** Enough of a needle to tell it from the others. */
const PREFIX = 8;

/** Those characters of base64 that depend on the bytes alone, for each of the three places where they can begin in a group. */
function base64sOf(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const whole = text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return [whole, whole.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

const WRAPPINGS: Record<string, (bytes: Buffer) => string[]> = {
  base64: base64sOf,
  hex: (bytes) => [bytes.toString('hex'), bytes.toString('hex').toUpperCase()],
  url: (bytes) => [encodeURIComponent(bytes.toString('latin1'))],
  bytes: (bytes) => [[...bytes].join(','), [...bytes].join(', ')],
};

/** Beginnings of what gzip and zstd write, as they are and in base64. */
const COMPRESSED = ['1f8b08', '28b52ffd'].flatMap((hex) => {
  const magic = Buffer.from(hex, 'hex');
  return [magic, ...base64sOf(magic).map((text) => Buffer.from(text, 'latin1'))];
});

interface Needle {
  secret: string;
  wrapped: string;
  bytes: Buffer;
}

/** @param secrets by name; of at least 12 bytes */
export function needleScanner(secrets: Record<string, string | Uint8Array>): (seen: string | Uint8Array) => Finding[] {
  const needles = new Map<string, Needle>();
  const add = (secret: string, wrapped: string[], bytes: Buffer): void => {
    const key = bytes.toString('latin1');
    if (!needles.has(key)) needles.set(key, { secret, wrapped: wrapped.join(' > '), bytes });
    if (wrapped.length === 2) return;
    for (const [wrapping, wrap] of Object.entries(WRAPPINGS))
      for (const text of wrap(bytes)) add(secret, [wrapping, ...wrapped], Buffer.from(text, 'latin1'));
  };
  for (const [name, secret] of Object.entries(secrets)) {
    const bytes = Buffer.from(secret as Uint8Array);
    if (bytes.length < 12) throw new Error(`the secret ${name} has fewer than 12 bytes: it would be found by chance`);
    add(name, [], bytes);
  }
  // Most places are ruled out by two bytes, the others by eight.
  const pairs = new Uint8Array(65_536);
  const byPrefix = new Map<string, Needle[]>();
  for (const needle of needles.values()) {
    pairs[needle.bytes.readUInt16LE(0)] = 1;
    const prefix = needle.bytes.toString('latin1', 0, PREFIX);
    byPrefix.set(prefix, [...(byPrefix.get(prefix) ?? []), needle]);
  }

  return (seen) => {
    const content =
      typeof seen === 'string' ? Buffer.from(seen) : Buffer.from(seen.buffer, seen.byteOffset, seen.length);
    const found = new Map<string, Finding>();
    for (let at = 0; at <= content.length - PREFIX; at++) {
      if (pairs[content[at]! | (content[at + 1]! << 8)] !== 1) continue;
      for (const { secret, wrapped, bytes } of byPrefix.get(content.toString('latin1', at, at + PREFIX)) ?? [])
        if (content.subarray(at, at + bytes.length).equals(bytes))
          found.set(`${secret} ${wrapped}`, { secret, wrapped });
    }
    if (found.size === 0 && COMPRESSED.some((magic) => content.includes(magic)))
      for (const each of findSecrets(content, secrets)) found.set(`${each.secret} ${each.wrapped}`, each);
    return [...found.values()];
  };
}
