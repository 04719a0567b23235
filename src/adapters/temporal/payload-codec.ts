import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import protocol from '@temporalio/proto';
import { failure } from '../failure.ts';
import type { KeyRing, RingKey } from './payload-keys.ts';

// An encrypted payload, version 1:
//
//   metadata  encoding = "binary/encrypted" · encryption-key-id = the key's id
//   data      nonce (12 bytes) · AES-256-GCM of the payload as protobuf, its own metadata included · tag (16)
//
// Version, encoding and key id are additional authenticated data: a payload that was given another id does not decipher.
// The nonces are random, so that workers need not agree on them: by NIST SP 800-38D (8.3) good for 2^32 payloads a key.

const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const { Payload: PayloadMessage } = protocol.temporal.api.common.v1;

/**
 * Encrypts payloads with the first key and deciphers those of every key. What is not encrypted is passed on as it is: runs
 * that were begun before there was a key go on. With no keys at all it still knows an encrypted payload when it sees one:
 * the SDK would take it for the workflow's own fault, and end the workflow, instead of waiting for a worker with the key.
 * @throws WrongKey when a payload's key is not at hand, PayloadCorrupt when it was altered; neither is worth another try
 */
export function createPayloadCodec({ first, all }: KeyRing): PayloadCodec {
  const byId = new Map(all.map((each) => [each.id, each]));
  return {
    encode: async (payloads) => (first ? payloads.map((payload) => encrypt(payload, first)) : payloads),
    decode: async (payloads) =>
      payloads.map((payload) => {
        if (!isEncrypted(payload)) return payload;
        const id = textOf(payload.metadata?.[KEY_ID]);
        const key = byId.get(id);
        if (!key) throw unknownKey(id, all);
        return decrypt(payload.data, key);
      }),
  };
}

/** Id of the key that a payload is encrypted with; empty when it is not. */
export const keyIdOf = (payload: Payload): string => (isEncrypted(payload) ? textOf(payload.metadata?.[KEY_ID]) : '');

const isEncrypted = ({ metadata }: Payload): boolean => textOf(metadata?.['encoding']) === ENCODING;

function encrypt(payload: Payload, { id, key }: RingKey): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(boundTo(id));
  const plain = PayloadMessage.encode(payload).finish();
  return {
    metadata: { encoding: Buffer.from(ENCODING), [KEY_ID]: Buffer.from(id) },
    data: Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]),
  };
}

function decrypt(data: Uint8Array | null | undefined, { id, key }: RingKey): Payload {
  const bytes = data ?? new Uint8Array();
  if (bytes.length < NONCE_BYTES + TAG_BYTES)
    throw altered(id, `it has ${bytes.length} bytes, fewer than nonce and tag`);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
      .setAAD(boundTo(id))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    const plain = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
    return PayloadMessage.decode(Buffer.concat(plain));
  } catch {
    throw altered(id, 'it was altered or cut off, or another key has this id');
  }
}

const boundTo = (id: string): Buffer => Buffer.from(`windlass/payload/1\0${ENCODING}\0${id}`);

const textOf = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString();

function unknownKey(id: string, ring: readonly RingKey[]) {
  const has = ring.length > 0 ? `has ${ring.map((each) => each.id).join(', ')}: add that key at its end` : 'is not set';
  return failure('WrongKey', `a payload was encrypted with key ${quoted(id)}, and WINDLASS_PAYLOAD_KEYS ${has}`);
}

const altered = (id: string, what: string) =>
  failure('PayloadCorrupt', `a payload of key ${quoted(id)} cannot be deciphered: ${what}`);

/** The id as somebody else wrote it, who may have written anything. */
const quoted = (id: string): string => `"${id.slice(0, 64).replaceAll(/[^A-Za-z0-9._-]/g, '?')}"`;
