import { hkdfSync, randomBytes } from 'node:crypto';
import { EncryptJWT, jwtDecrypt } from 'jose';

/** Seals what a browser keeps for us, so that it can neither read nor alter it; nothing is stored here. */
export interface Seal<Content extends Record<string, unknown>> {
  close(content: Content, lastsSeconds: number): Promise<string>;
  /** Undefined when it is over, altered, made for another purpose or under another key. */
  open(sealed: string | undefined): Promise<Content | undefined>;
}

/** @param purpose what was sealed for another purpose does not open */
export function createSeal<Content extends Record<string, unknown>>(secret: string, purpose: string): Seal<Content> {
  const key = new Uint8Array(hkdfSync('sha256', secret, '', `windlass approvals: ${purpose}`, 32));
  return {
    close: (content, lastsSeconds) =>
      new EncryptJWT({ content })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setExpirationTime(Math.floor(Date.now() / 1000) + lastsSeconds)
        .encrypt(key),
    async open(sealed) {
      if (!sealed) return undefined;
      try {
        const { payload } = await jwtDecrypt(sealed, key, {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
          requiredClaims: ['exp'],
        });
        return payload['content'] as Content;
      } catch {
        return undefined;
      }
    },
  };
}

/** A secret that nobody can guess, in 43 characters. */
export const newSecret = (): string => randomBytes(32).toString('base64url');
