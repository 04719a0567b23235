import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import type { TokenIdentity } from '../../contracts/identity.ts';
import { failure } from '../failure.ts';
import { createSignIn } from './sign-in.ts';
import { createTokenVerifier } from './tokens.ts';

export interface LoginOptions {
  issuer: string;
  clientId: string;
  /** Told where a person logs in, in any browser of this machine. */
  onUrl: (url: string) => void;
  timeoutMs: number;
}

export interface Login {
  /** ID token: a secret, which never leaves this machine but to the server of Windlass. */
  token: string;
  identity: TokenIdentity;
  /** ISO 8601. */
  expiresAt: string;
}

/**
 * Logs a person in at an OpenID provider: authorization code with PKCE, state and nonce; the browser comes back to a
 * port of loopback that is open for this one login (RFC 8252).
 * @throws Forbidden, TimedOut, Unavailable; no text has a token
 */
export async function logIn({ issuer, clientId, onUrl, timeoutMs }: LoginOptions): Promise<Login> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const signIn = createSignIn({ issuer, clientId, callback: `${origin}/callback`, scope: 'openid email profile' });
    const { url, underWay } = await signIn.begin();
    const returned = comesBack(server, origin, underWay.state, timeoutMs);
    onUrl(url.href);
    const token = await signIn.complete(await returned, underWay);
    const reading = await createTokenVerifier().read(token, [{ issuer, audience: clientId }]);
    if ('fault' in reading) throw failure('Forbidden', `the token of ${issuer} does not count: ${reading.fault}`);
    return { token, identity: reading.identity, expiresAt: new Date(decodeJwt(token).exp! * 1000).toISOString() };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Whoever else of this machine calls has not the state of this login, and is not heard. */
function comesBack(server: Server, origin: string, state: string, timeoutMs: number): Promise<URL> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(failure('TimedOut', 'nobody logged in within the time there was')),
      timeoutMs,
    );
    server.on('request', (request, response) => {
      const url = new URL(request.url ?? '/', origin);
      const ours = url.pathname === '/callback' && url.searchParams.get('state') === state;
      response.writeHead(ours ? 200 : 404, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
      response.end(ours ? 'You may close this page and go back to the terminal.\n' : 'There is nothing here.\n', () => {
        if (!ours) return;
        clearTimeout(timer);
        resolve(url);
      });
    });
  });
}
