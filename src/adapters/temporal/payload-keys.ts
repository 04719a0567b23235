import { createSecretKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { secretReference } from '../../contracts/catalog-parts.ts';
import { failure } from '../failure.ts';
import type { SecretResolver } from '../secrets.ts';

/** A key as the configuration names it. */
export interface PayloadKey {
  /** In the metadata of every payload that the key encrypts, for everybody to read. */
  id: string;
  /** Where its 32 bytes are, in base64 or hexadecimal. */
  reference: string;
}

export interface PayloadKeys {
  keys: PayloadKey[];
  /** False: everything is written in plain text, and the keys only decipher. So encryption is turned on and off. */
  encrypts: boolean;
}

/** The keys themselves. */
export interface KeyRing {
  /** Encrypts; undefined: nothing is encrypted. */
  first?: RingKey;
  /** Each of them deciphers. */
  all: readonly RingKey[];
}
export interface RingKey {
  id: string;
  /** Shows nothing of itself when it is printed. */
  key: KeyObject;
}

const KEY_BYTES = 32;
const EXAMPLE = '2026-11=file:/etc/windlass/2026-11.key,2026-05=env:WINDLASS_PAYLOAD_KEY_2026_05';

/**
 * `WINDLASS_PAYLOAD_KEYS`: `ID=REFERENCE`, separated by commas; `plain` before the first one encrypts nothing. Its complaints
 * quote ids only: a key may have been pasted.
 */
export const payloadKeys = z.string().transform((text, context): PayloadKeys => {
  const complain = (message: string) => context.addIssue({ code: 'custom', message });
  const [first, ...others] = text.split(',');
  const encrypts = first?.trim() !== 'plain';
  const keys = (encrypts ? [first ?? '', ...others] : others).map((entry, at): PayloadKey => {
    const [, id, reference] = /^\s*([A-Za-z0-9][A-Za-z0-9._-]{0,63})=(.+?)\s*$/.exec(entry) ?? [];
    if (!id || !reference) complain(`entry ${at + 1}: expected ID=REFERENCE, such as ${EXAMPLE}`);
    else if (!secretReference.safeParse(reference).success)
      complain(`key ${id}: expected a reference (env:NAME, file:/path or kubernetes:namespace/secret#key)`);
    return { id: id ?? '', reference: reference ?? '' };
  });
  if (keys.length === 0) complain(`expected keys after plain, such as plain,${EXAMPLE}`);
  const twice = keys.find(({ id }, at) => id && keys.findIndex((other) => other.id === id) < at);
  if (twice) complain(`key ${twice.id} is named twice`);
  return { keys, encrypts };
});

/**
 * Reads the keys behind their references, once.
 * @throws SecretMissing naming key and reference, never a value; Unavailable when a cluster does not answer
 */
export async function openKeyRing({ keys, encrypts }: PayloadKeys, secrets: SecretResolver): Promise<KeyRing> {
  const ring = await Promise.all(
    keys.map(async (each): Promise<RingKey> => {
      const bytes = bytesOf(await secrets.resolve(each.reference));
      if (!bytes)
        throw failure(
          'SecretMissing',
          `payload key ${each.id} (${each.reference}): expected ${KEY_BYTES} bytes in base64 or hexadecimal, ` +
            'as `openssl rand -base64 32` prints them',
        );
      return { id: each.id, key: createSecretKey(bytes) };
    }),
  );
  // A key that was copied under a new name was not rotated.
  const same = ring.find(({ key }, at) => ring.findIndex((other) => other.key.equals(key)) < at);
  if (same) throw failure('SecretMissing', `payload key ${same.id} is the same key as another one: expected a new one`);
  return { all: ring, ...(encrypts && ring[0] ? { first: ring[0] } : {}) };
}

/** Undefined unless it is exactly one key: what Node's decoder would skip over is a mistake. */
function bytesOf(text: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  return /^[A-Za-z0-9+/]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}
