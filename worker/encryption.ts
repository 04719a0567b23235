import type { Logger } from 'pino';
import { isFailure } from '../src/adapters/failure.ts';
import type { SecretResolver } from '../src/adapters/secrets.ts';
import { encryption, type Encryption } from '../src/adapters/temporal/data-converter.ts';
import type { PayloadKey } from '../src/adapters/temporal/payload-keys.ts';
import { ConfigError } from './config.ts';

/** The encryption of a process that runs for long: it says which keys it has. @throws ConfigError when a key is not there or is none */
export async function openEncryption(
  keys: PayloadKey[] | undefined,
  secrets: SecretResolver,
  log: Logger,
): Promise<Encryption> {
  try {
    const encrypted = await encryption(keys, secrets);
    const [first, ...others] = (keys ?? []).map(({ id }) => id);
    if (first) log.info({ encrypts: first, decrypts: [first, ...others] }, 'payloads are encrypted');
    return encrypted;
  } catch (error) {
    if (isFailure(error, 'SecretMissing')) throw new ConfigError([`WINDLASS_PAYLOAD_KEYS: ${error.message}`]);
    throw error;
  }
}
