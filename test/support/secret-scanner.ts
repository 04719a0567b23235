import { constants, inflateRawSync, zstdDecompressSync } from 'node:zlib';

/** Where a secret was found: under how many wrappings, from the outside in. */
export interface Finding {
  /** Its name; findings are printed, the secret never is. */
  secret: string;
  /** `json > base64 > gzip`; empty when it lies open. */
  wrapped: string;
}

/** Deep enough for a compressed body in a payload in a message of a log line. */
const MAX_DEPTH = 6;
/** Shorter ones are found by chance. */
const SHORTEST_SECRET = 8;
/** Shorter runs are words. */
const SHORTEST_RUN = 12;
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

/**
 * Searches text or bytes for secrets: as they are, and inside of base64 (any alignment, both alphabets, wrapped lines), hexadecimal,
 * gzip, zstd, URL encoding, escapes of JSON and byte arrays in JSON, also one inside of the other.
 * @param secrets by name; at least 8 bytes each, or they are found by chance
 */
export function findSecrets(seen: string | Uint8Array, secrets: Record<string, string | Uint8Array>): Finding[] {
  const needles = Object.entries(secrets).map(([name, secret]) => ({ name, text: latin1(secret) }));
  const short = needles.find(({ text }) => text.length < SHORTEST_SECRET);
  if (short)
    throw new Error(`the secret ${short.name} has fewer than ${SHORTEST_SECRET} bytes: it would be found by chance`);

  const found = new Map<string, Finding>();
  const known = new Set<string>();
  let layer: { text: string; path: string[] }[] = [{ text: latin1(seen), path: [] }];
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    // One layer after the other, so that each text is found by its shortest way.
    layer = layer.filter(({ text }) => text.length >= SHORTEST_SECRET && !known.has(text) && known.add(text));
    for (const { text, path } of layer)
      for (const { name } of needles.filter((needle) => text.includes(needle.text)))
        found.set(`${name} ${path.join()}`, { secret: name, wrapped: path.join(' > ') });
    layer = layer.flatMap(({ text, path }) =>
      Object.entries(WRAPPINGS).flatMap(([wrapping, unwrap]) =>
        Array.from(unwrap(text), (inner) => ({ text: inner, path: [...path, wrapping] })),
      ),
    );
  }
  return [...found.values()];
}

/** What may be inside of a text, by the name of the wrapping. Every text is bytes, a character each. */
const WRAPPINGS: Record<string, (text: string) => Iterable<string>> = {
  *base64(text) {
    for (const [run] of text.matchAll(/[A-Za-z0-9+/_-](?:[A-Za-z0-9+/_-]|\r?\n(?=[A-Za-z0-9+/_-]))*/g)) {
      if (run.length < SHORTEST_RUN) continue;
      const joined = run.replaceAll(/[\r\n]/g, '');
      // What stands before it may look like a part of it: all four places where a group can begin.
      for (let skip = 0; skip < 4; skip++) yield Buffer.from(joined.slice(skip), 'base64').toString('latin1');
    }
  },
  *hex(text) {
    for (const [run] of text.matchAll(/[0-9a-f]{12,}/gi)) {
      yield Buffer.from(run, 'hex').toString('latin1');
      yield Buffer.from(run.slice(1), 'hex').toString('latin1');
    }
  },
  *url(text) {
    if (/%[0-9a-f]{2}/i.test(text)) yield unescapeUrl(text);
    // Of forms, where a space is a plus sign.
    if (text.includes('+')) yield unescapeUrl(text.replaceAll('+', ' '));
  },
  *json(text) {
    if (!text.includes('\\')) return;
    yield text.replaceAll(/\\u([0-9a-f]{4})\\u([0-9a-f]{4})|\\u([0-9a-f]{4})|\\(["\\/bfnrt])/gi, (...match) => {
      const [, high, low, one, short] = match as (string | undefined)[];
      if (short) return ESCAPES[short] ?? short;
      return latin1([high, low, one].map((hex) => (hex ? String.fromCharCode(Number.parseInt(hex, 16)) : '')).join(''));
    });
  },
  *bytes(text) {
    for (const [list] of text.matchAll(/\d{1,3}(?:,\s*\d{1,3}){7,}/g))
      yield Buffer.from(list.split(',').map(Number)).toString('latin1');
  },
  // By its own header: Node's gunzip refuses what other bytes follow.
  gzip: (text) => unpack(text, '\x1f\x8b\x08', (bytes) => inflateRawSync(bytes.subarray(gzipHeader(bytes)), { finishFlush: constants.Z_SYNC_FLUSH, ...LIMIT })), // prettier-ignore
  zstd: (text) => unpack(text, '\x28\xb5\x2f\xfd', (bytes) => zstdDecompressSync(bytes, { finishFlush: constants.ZSTD_e_flush, ...LIMIT })), // prettier-ignore
};

const LIMIT = { maxOutputLength: MAX_UNPACKED_BYTES };
const ESCAPES: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** Whatever begins like it and can be unpacked, as far as it can. */
function* unpack(text: string, magic: string, decompress: (bytes: Buffer) => Buffer): Generator<string> {
  for (let at = text.indexOf(magic); at >= 0; at = text.indexOf(magic, at + 1)) {
    try {
      yield decompress(Buffer.from(text.slice(at), 'latin1')).toString('latin1');
    } catch {
      // It only began like it.
    }
  }
}

/** How long the header of a gzip stream is (RFC 1952, 2.3). */
function gzipHeader(bytes: Buffer): number {
  const flags = bytes[3] ?? 0;
  let at = 10;
  if (flags & 4) at += 2 + bytes.readUInt16LE(at);
  for (const named of [8, 16]) if (flags & named) at = bytes.indexOf(0, at) + 1;
  return flags & 2 ? at + 2 : at;
}

const unescapeUrl = (text: string): string =>
  text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

const latin1 = (value: string | Uint8Array): string => Buffer.from(value as Uint8Array).toString('latin1');
