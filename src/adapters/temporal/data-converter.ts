import type { DataConverter } from '@temporalio/common';
import { createKubernetesSecretReader } from '../kubernetes-secrets.ts';
import { failure } from '../failure.ts';
import { createSecretResolver, type SecretResolver } from '../secrets.ts';
import { createPayloadCodec } from './payload-codec.ts';
import { openKeyRing, payloadKeys, type PayloadKey } from './payload-keys.ts';

export interface Encryption {
  dataConverter: DataConverter;
}

/**
 * What every client and worker is given, to be spread into its options: with keys, payloads are encrypted before they
 * leave the process; without, they go as they are.
 * @throws SecretMissing, Unavailable
 */
export async function encryption(keys: PayloadKey[] | undefined, secrets: SecretResolver): Promise<Encryption> {
  return { dataConverter: { payloadCodecs: [createPayloadCodec(await openKeyRing(keys ?? [], secrets))] } };
}

/**
 * The same for a program that has no configuration but its environment: `WINDLASS_PAYLOAD_KEYS`.
 * @throws SecretMissing, also when the variable is not as it should be; Unavailable
 */
export async function encryptionOf(env: Readonly<Record<string, string | undefined>>): Promise<Encryption> {
  const text = env['WINDLASS_PAYLOAD_KEYS'];
  const parsed = payloadKeys.optional().safeParse(text);
  if (!parsed.success)
    throw failure(
      'SecretMissing',
      `WINDLASS_PAYLOAD_KEYS: ${parsed.error.issues.map(({ message }) => message).join('; ')}`,
    );
  return encryption(
    parsed.data,
    createSecretResolver({ env, kubernetes: createKubernetesSecretReader(env['KUBECONFIG']) }),
  );
}
