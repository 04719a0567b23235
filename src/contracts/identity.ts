import { z } from 'zod';
import { name } from './scalars.ts';

/**
 * Whose word decides a gate. `declared`: the name in the message is believed. `verified`: only with a statement of the
 * server, which has seen a token of an identity provider.
 */
export const identityPolicy = z.enum(['declared', 'verified']);
export type IdentityPolicy = z.output<typeof identityPolicy>;

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/** An address over which nobody can slip in other keys. */
const safeUrl = z
  .url({ protocol: /^https?$/ })
  .refine(
    (text) => !URL.canParse(text) || !text.startsWith('http:') || LOOPBACK.includes(new URL(text).hostname),
    'expected https (http only on the same machine)',
  );

/** Asymmetric only: with a symmetric one whoever can verify can also sign. */
export const TOKEN_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;

/** An OpenID provider whose tokens count. */
const tokenIssuer = z.strictObject({
  issuer: safeUrl.describe('Exactly as its tokens have it'),
  audience: z
    .string()
    .min(1)
    .max(300)
    .describe('Whom tokens must be for: the client of ID tokens, the resource of others'),
  jwks: safeUrl.optional().describe('Its keys; default: as it describes itself'),
  algorithms: z.array(z.enum(TOKEN_ALGORITHMS)).min(1).optional(),
  groups: z.string().min(1).max(100).optional().describe('Claim with the groups of a person; default: groups'),
});
export type TokenIssuer = z.output<typeof tokenIssuer>;

/** How people and services of a system prove who they are. */
export const identity = z.strictObject({
  issuers: z.array(tokenIssuer).min(1).max(10),
  groups: z
    .record(z.string().min(1).max(200), z.array(name).min(1))
    .default({})
    .describe('Roles that groups of the provider grant, besides those of the people'),
});

/** Who somebody is for an identity provider. */
export const personIdentity = z
  .strictObject({
    issuer: z.string().optional().describe('Which one, when there are several'),
    subject: z.string().min(1).max(300).optional().describe('Claim sub; of a service identity its client'),
    email: z.string().min(3).max(300).toLowerCase().optional().describe('As the provider verified it'),
  })
  .refine(({ subject, email }) => (subject === undefined) !== (email === undefined), 'expected subject or email');

/** What a good token, or a signed request, says of somebody. Nothing of the token itself is kept. */
export interface TokenIdentity {
  issuer: string;
  /** Unique within its issuer. */
  subject: string;
  /** For whom the token was, among those that count. */
  audience?: string;
  /** Only when the provider verified it. */
  email?: string;
  groups: string[];
  /** The client that got the token. */
  client?: string;
}
