import { z } from 'zod';
import { fieldName, gateForm } from './gate-form.ts';
import { identityPolicy } from './identity.ts';
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

const criterion = z.record(fieldName, z.string().min(1).max(150));

export const gate = z.strictObject({
  name,
  kind: z.enum(['approval', 'confirmation']).default('approval'),
  asks: z.string().min(1).max(300),
  roles: z.array(name).min(1),
  quorum: z.int().min(1).max(10).default(1),
  fourEyes: z.boolean().default(true),
  environments: z.array(name).min(1).optional().describe('Asked only there; default: in every environment'),
  expiresAfter: duration.prefault('24h'),
  escalation: z
    .strictObject({ after: duration.optional(), roles: z.array(name).min(1) })
    .optional()
    .describe('Roles that are told too after this time; with `onExpiry: escalate` they may decide in a second period'),
  onExpiry: z
    .enum(['rejected', 'escalate', 'continue'])
    .optional()
    .describe('What silence means: rejected (default); escalate: one more period; continue: go on, where harmless'),
  harmless: z.literal(true).optional().describe('Going on without a decision does no harm'),
  remindEvery: duration.optional().describe('So often those who may decide are told again'),
  notify: z.array(name).min(1).optional().describe('Channels of those who may decide'),
  comment: z.enum(['required', 'optional']).optional().describe('Whether an approval needs a comment'),
  form: gateForm.optional().describe('What must be filled in to approve'),
  identity: identityPolicy.optional().describe('Whose word decides; default: as the environment says'),
  services: z.boolean().optional().describe('Service identities may approve it too, although it wants four eyes'),
  criteria: z
    .strictObject({
      go: criterion.default({}).describe('All of these must be so'),
      noGo: criterion.default({}).describe('Any one of these that is so means no-go'),
    })
    .optional()
    .describe('Go or no-go: whoever approves answers each with its evidence; one wrong answer rejects'),
  breakGlass: z
    .strictObject({
      roles: z.array(name).min(1).describe('Who may pass the gate alone in an emergency'),
      notify: z.array(name).min(1).describe('Channels that are told at once'),
      reviewWithin: duration.prefault('72h').describe('Until then somebody else must have reviewed it'),
    })
    .optional(),
});

export type CatalogGate = z.output<typeof gate>;
