import { z } from 'zod';
import { duration, name } from './scalars.ts';

/** Where a secret is found: `env:NAME`, `file:/path` or `kubernetes:namespace/secret#key`. Never the value. */
export const secretReference = z
  .string()
  .regex(
    /^(env:[A-Z_][A-Z0-9_]*|file:.+|kubernetes:[a-z0-9-]+\/[a-z0-9.-]+#[A-Za-z0-9._-]+)$/,
    'expected a reference (env:NAME, file:/path or kubernetes:namespace/secret#key), never the secret itself',
  );

export const url = z.url({ protocol: /^https?$/ });
export const kubernetesName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'expected a Kubernetes object name');

export const gate = z.strictObject({
  name,
  kind: z.enum(['approval', 'confirmation']).default('approval'),
  asks: z.string().min(1).max(300),
  roles: z.array(name).min(1),
  quorum: z.int().min(1).max(10).default(1),
  fourEyes: z.boolean().default(true),
  expiresAfter: duration.prefault('24h'),
  escalation: z.strictObject({ after: duration, roles: z.array(name).min(1) }).optional(),
});

export type CatalogGate = z.output<typeof gate>;
