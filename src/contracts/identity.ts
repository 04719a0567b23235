import { z } from 'zod';

/**
 * Whose word decides a gate. `declared`: the name in the message is believed. `verified`: only with a statement of the
 * server, which has seen a token of an identity provider.
 */
export const identityPolicy = z.enum(['declared', 'verified']);
export type IdentityPolicy = z.output<typeof identityPolicy>;
