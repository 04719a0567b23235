import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { importJWK, SignJWT, type JWK } from 'jose';
import { Provider } from 'oidc-provider';

export const CLIENT_ID = 'windlass';

export interface OpenIdProvider {
  issuer: string;
  /** An ID token of somebody, as they would get by signing in. */
  tokenOf(person: string, over?: Record<string, unknown>): Promise<string>;
  close(): Promise<void>;
}

/** A certified OpenID provider in this process, in which everybody signs in by their name and any password. */
export async function startOpenIdProvider(callback: string): Promise<OpenIdProvider> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: 'jwk' }), kid: 'of-tests', alg: 'RS256', use: 'sig' } as JWK;
  const emailOf = (person: string): string => `${person}@example.com`;
  const provider = quietly(
    () =>
      new Provider(issuer, {
        clients: [
          {
            client_id: CLIENT_ID,
            redirect_uris: [callback],
            token_endpoint_auth_method: 'none',
            grant_types: ['authorization_code'],
            response_types: ['code'],
          },
        ],
        jwks: { keys: [key as never] },
        // As common providers do: the address is in the ID token.
        conformIdTokenClaims: false,
        claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
        cookies: { keys: ['of-tests'] },
        ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
        findAccount: (_, sub) => ({
          accountId: sub,
          claims: () => ({ sub, name: sub, email: emailOf(sub), email_verified: true }),
        }),
      }),
  );
  const handle = provider.callback();
  server.on('request', (request, response) => void handle(request, response));
  return {
    issuer,
    async tokenOf(person, over = {}) {
      const claims = {
        sub: person,
        email: emailOf(person),
        email_verified: true,
        iss: issuer,
        aud: CLIENT_ID,
        ...over,
      };
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'of-tests' })
        .setIssuedAt()
        .setExpirationTime(typeof over['exp'] === 'number' ? over['exp'] : '5m')
        .sign(await importJWK(key, 'RS256'));
    },
    close: () =>
      new Promise((closed) => {
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
}

/** It warns that it keeps everything in memory and has a sign-in for developers: that is what it is for here. */
function quietly<T>(make: () => T): T {
  const { warn } = console;
  console.warn = () => undefined;
  try {
    return make();
  } finally {
    console.warn = warn;
  }
}
