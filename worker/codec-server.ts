// The codec server: `npm run codec-server`. It shows payloads that workers encrypted to those who may see them in the
// Temporal UI. A process of its own, because browsers reach it: it has the keys of payloads, and no other secret.
import { z } from 'zod';
import { secretReference } from '../src/contracts/catalog-parts.ts';
import { payloadKeys } from '../src/adapters/temporal/payload-keys.ts';
import { serveCodec } from '../src/server/codec.ts';
import { address, ConfigError, list, parseEnvironment } from './config.ts';
import { openEncryption } from './encryption.ts';
import { createLog } from './log.ts';
import { createSecrets } from './secrets.ts';
import { runServer } from './serve.ts';

const origin = z
  .string()
  .regex(/^https?:\/\/[^/\s]+$/, 'expected origins of the Temporal UI, such as https://temporal.example.com');

const environment = z.object({
  KUBECONFIG: z.string().min(1).optional(),
  WINDLASS_PAYLOAD_KEYS: payloadKeys,
  WINDLASS_CODEC_TOKEN: secretReference,
  WINDLASS_CODEC_ORIGINS: list.pipe(z.array(origin).min(1, 'expected at least one origin of the Temporal UI')),
  WINDLASS_CODEC_ADDRESS: address.prefault('127.0.0.1:18820'),
  WINDLASS_CODEC_ENCODE: z.enum(['true', 'false']).default('false'),
});

const LEAST_TOKEN = 32;

const log = createLog(process.env['WINDLASS_LOG_LEVEL']);
await runServer('the codec server', log, async () => {
  const from = parseEnvironment(environment, process.env);
  const secrets = createSecrets({ kubeconfig: from.KUBECONFIG });
  const { dataConverter } = await openEncryption(from.WINDLASS_PAYLOAD_KEYS, secrets, log);
  const token = () => secrets.resolve(from.WINDLASS_CODEC_TOKEN);
  const first = await token().catch((error: Error) => {
    throw new ConfigError([`WINDLASS_CODEC_TOKEN: ${error.message}`]);
  });
  // It is all that keeps strangers out, and may be tried as often as they like.
  if (first.length < LEAST_TOKEN)
    throw new ConfigError([`WINDLASS_CODEC_TOKEN: expected at least ${LEAST_TOKEN} characters (openssl rand -hex 32)`]);
  const server = await serveCodec({
    ...from.WINDLASS_CODEC_ADDRESS,
    ...{ token, log, origins: from.WINDLASS_CODEC_ORIGINS, encodes: from.WINDLASS_CODEC_ENCODE === 'true' },
    codec: dataConverter.payloadCodecs![0]!,
  });
  return { server, ready: { ...from.WINDLASS_CODEC_ADDRESS, origins: from.WINDLASS_CODEC_ORIGINS } };
});
