import { generateKeyPairSync } from 'node:crypto';
import { importJWK, SignJWT, type JWK } from 'jose';
import { CLIENT, startProvider, type RunningProvider } from '../../scripts/sandbox/identity/provider.ts';

export const CLIENT_ID = CLIENT;

export interface OpenIdProvider extends RunningProvider {
  /** An ID token of somebody, as they would get by signing in. */
  tokenOf(person: string, over?: Record<string, unknown>): Promise<string>;
}

const emailOf = (person: string): string => `${person}@example.com`;
const accounts = ['ana', 'bea', 'dan', 'kim'].map((name) => ({ name, email: emailOf(name), groups: [] }));

/** The sandbox's provider in this process, with people of its own, whose tokens a test can also make. */
export async function startOpenIdProvider(callback: string): Promise<OpenIdProvider> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: 'jwk' }), kid: 'of-tests', alg: 'RS256', use: 'sig' } as JWK;
  const provider = await startProvider({ port: 0, accounts, redirects: [callback], signingKey: key });
  return {
    ...provider,
    async tokenOf(person, over = {}) {
      const claims = {
        sub: person,
        email: emailOf(person),
        email_verified: true,
        iss: provider.issuer,
        aud: CLIENT_ID,
        ...over,
      };
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'of-tests' })
        .setIssuedAt()
        .setExpirationTime(typeof over['exp'] === 'number' ? over['exp'] : '5m')
        .sign(await importJWK(key, 'RS256'));
    },
  };
}
