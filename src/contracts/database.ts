import { z } from 'zod';
import { kubernetesName, secretReference, url } from './catalog-parts.ts';
import { duration, name } from './scalars.ts';

/** A PostgreSQL name that needs no quotes: 63 bytes at most, so that a restore can set databases aside under it. */
export const databaseName = z
  .string()
  .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'expected lower-case letters, digits and underscores (at most 63)');

/** Where the database is in one environment. The role must be able to create, rename and drop databases for restores. */
const server = z.strictObject({
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65535).default(5432),
  user: z.string().min(1).max(63),
  password: secretReference,
  database: databaseName.optional().describe('Its name on this server; default: that of the entry'),
  tls: z
    .enum(['verify-full', 'require', 'disable'])
    .default('verify-full')
    .describe('verify-full: the certificate must name the host; require: encrypted, not verified'),
  /** `system_identifier` of pg_control_system(): the identity of the server, which no two clusters share. */
  systemIdentifier: z
    .string()
    .regex(/^\d{1,20}$/)
    .optional(),
});

const store = z.strictObject({
  endpoint: url.optional().describe('Of an S3 API other than AWS'),
  region: z.string().default('us-east-1'),
  bucket: z.string().min(3).max(63),
  prefix: z.string().max(200).default('backups'),
  accessKeyId: secretReference,
  secretAccessKey: secretReference,
});

const backup = z.strictObject({
  engine: z.enum(['pg_dump']).default('pg_dump'),
  store,
  /** 32 random bytes in base64. */
  encryptionKey: secretReference,
  keepFor: duration.prefault('30d').describe('A backup older than this is expired, unless a newer one depends on it'),
  keepAtLeast: z.int().min(1).default(2).describe('So many are kept however old they are'),
  maxAge: duration.prefault('7d').describe('The newest good backup must not be older'),
});

/** One PostgreSQL database of a system. */
export const database = z.strictObject({
  description: z.string().optional(),
  name: databaseName,
  servers: z.record(name, server).describe('By environment'),
  /** What uses it: scaled to 0 while a restore swaps it, and back to exactly what it was. */
  dependants: z
    .array(
      z.strictObject({
        kind: z.enum(['Deployment', 'StatefulSet']).default('Deployment'),
        name: kubernetesName,
        /** The service it belongs to, whose lease a restore takes too. */
        service: name.optional(),
      }),
    )
    .default([]),
  backup: backup.optional(),
});

export type CatalogDatabase = z.output<typeof database>;
export type DatabaseServer = z.output<typeof server>;
export type BackupPlan = z.output<typeof backup>;
