import type { DataConverter } from '@temporalio/common';
import { failure } from '../failure.ts';
import { createKubernetesSecretReader } from '../kubernetes-secrets.ts';
import { createSecretResolver, type SecretResolver } from '../secrets.ts';
import { createPayloadCodec } from './payload-codec.ts';
import type { PayloadKeys } from './payload-keys.ts';

export interface Encryption {
  dataConverter: DataConverter;
}

/**
 * What every client and worker is given, to be spread into its options: with keys, payloads are encrypted before they
 * leave the process; without, they go as they are.
 * @throws SecretMissing, Unavailable
 */
export async function encryption(keys: PayloadKeys | undefined, secrets: SecretResolver): Promise<Encryption> {
  const ring = keys ? await (await parser()).openKeyRing(keys, secrets) : { all: [] };
  return { dataConverter: { payloadCodecs: [createPayloadCodec(ring)] } };
}

/**
 * The same for a program that has no configuration but its environment: `WINDLASS_PAYLOAD_KEYS`.
 * @throws SecretMissing, also when the variable is not as it should be; Unavailable
 */
export async function encryptionOf(env: Readonly<Record<string, string | undefined>>): Promise<Encryption> {
  const secrets = createSecretResolver({ env, kubernetes: createKubernetesSecretReader(env['KUBECONFIG']) });
  const text = env['WINDLASS_PAYLOAD_KEYS'];
  if (text === undefined) return encryption(undefined, secrets);
  const { payloadKeys } = await parser();
  const parsed = payloadKeys.safeParse(text);
  if (parsed.success) return encryption(parsed.data, secrets);
  const faults = parsed.error.issues.map(({ message }) => message);
  throw failure('SecretMissing', `WINDLASS_PAYLOAD_KEYS: ${faults.join('; ')}`);
}

// Loaded when there are keys: a command line without any is quicker without what reads them.
const parser = () => import('./payload-keys.ts');
