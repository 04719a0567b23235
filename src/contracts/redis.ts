import { z } from 'zod';
import { secretReference } from './catalog-parts.ts';
import { name } from './scalars.ts';

/** Where the server is in one environment. */
const server = z.strictObject({
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65535).default(6379),
  user: z.string().min(1).max(63).optional().describe('Of its access control list; default: the default user'),
  password: secretReference.optional(),
  tls: z.boolean().default(false).describe('Encrypted, and the certificate must name the host'),
});

/** One Redis of a system. */
export const redis = z.strictObject({
  description: z.string().optional(),
  servers: z.record(name, server).describe('By environment'),
});

export type CatalogRedis = z.output<typeof redis>;
export type RedisServer = z.output<typeof server>;
