import type { Logger } from 'pino';
import { isFailure } from '../src/adapters/failure.ts';
import type { SecretResolver } from '../src/adapters/secrets.ts';
import { encryption, type Encryption } from '../src/adapters/temporal/data-converter.ts';
import type { PayloadKeys } from '../src/adapters/temporal/payload-keys.ts';
import { ConfigError } from './config.ts';

/** The encryption of a process that runs for long: it says which keys it has. @throws ConfigError when a key is not there or is none */
export async function openEncryption(
  keys: PayloadKeys | undefined,
  secrets: SecretResolver,
  log: Logger,
): Promise<Encryption> {
  try {
    const encrypted = await encryption(keys, secrets);
    const deciphers = keys?.keys.map(({ id }) => id);
    if (keys?.encrypts) log.info({ encrypts: deciphers?.[0], deciphers }, 'payloads are encrypted');
    else if (keys) log.info({ deciphers }, 'payloads are written in plain text');
    return encrypted;
  } catch (error) {
    if (isFailure(error, 'SecretMissing')) throw new ConfigError([`WINDLASS_PAYLOAD_KEYS: ${error.message}`]);
    throw error;
  }
}
