import { z } from 'zod';
import { formValues } from './gate-form.ts';
import { name, person, text } from './scalars.ts';

/** How the server came to know who decides; `oidc` and `service` by a token, `slack` by a signed request of Slack. */
export const IDENTITY_KINDS = ['oidc', 'service', 'slack'] as const;
export type IdentityKind = (typeof IDENTITY_KINDS)[number];

/** Who an identity provider says somebody is. A subject is unique within its issuer only. */
export const identitySource = z.strictObject({
  issuer: z.string().min(1).max(300),
  subject: z.string().min(1).max(300),
});
export type IdentitySource = z.output<typeof identitySource>;

/**
 * What the server signs: this person says this about this gate of this run. It holds all that is said, so that a
 * statement serves for nothing else, and no token of the person.
 */
export const statementSchema = z.strictObject({
  by: person.describe('The person, as the people of the catalog have them'),
  how: z.enum(IDENTITY_KINDS),
  identity: identitySource,
  roles: z.array(name).max(50).describe('Granted by groups, besides those of the catalog'),
  gate: z.string().max(64),
  code: z.string().max(64),
  decision: z.enum(['approve', 'reject', 'retract', 'withdraw']),
  reason: text.optional(),
  fields: formValues.optional(),
  breakGlass: z.boolean().optional(),
  workflowId: z.string().min(1).max(1000),
  runId: z.string().min(1).max(100),
  jti: z.string().min(16).max(100).describe('Used once'),
  iat: z.int().min(0).describe('Seconds since the epoch'),
  exp: z.int().min(0),
});
export type Statement = z.output<typeof statementSchema>;

/** A statement before it is signed: the signer adds what makes it unique and short-lived. */
export type StatementClaims = Omit<Statement, 'jti' | 'iat' | 'exp'>;
