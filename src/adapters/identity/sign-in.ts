import * as openid from 'openid-client';
import { failure } from '../failure.ts';

/** How people sign in at an OpenID provider. */
export interface SignInOptions {
  issuer: string;
  clientId: string;
  /** Reads the secret of the client; absent for a public client, which PKCE protects alone. */
  clientSecret?: () => Promise<string>;
  /** Where the provider sends people back to. */
  callback: string;
  scope: string;
}

/** What must be remembered between the way to the provider and the way back. */
export interface SignInUnderWay extends Record<string, unknown> {
  state: string;
  nonce: string;
  verifier: string;
}

export interface SignIn {
  /** Where to send a browser, and what to remember of it. @throws Unavailable */
  begin(): Promise<{ url: URL; underWay: SignInUnderWay }>;
  /**
   * Exchanges the code that a browser brought back.
   * @returns the ID token: state, nonce and PKCE fit
   * @throws Forbidden in words that quote nothing secret; Unavailable
   */
  complete(returned: URL, underWay: SignInUnderWay): Promise<string>;
}

/** Authorization code flow with PKCE, state and nonce. The provider describes itself when somebody first signs in. */
export function createSignIn({ issuer, clientId, clientSecret, callback, scope }: SignInOptions): SignIn {
  let discovered: Promise<openid.Configuration> | undefined;

  return {
    async begin() {
      const configuration = await discover();
      const underWay = {
        state: openid.randomState(),
        nonce: openid.randomNonce(),
        verifier: openid.randomPKCECodeVerifier(),
      };
      const url = openid.buildAuthorizationUrl(configuration, {
        redirect_uri: callback,
        scope,
        state: underWay.state,
        nonce: underWay.nonce,
        code_challenge: await openid.calculatePKCECodeChallenge(underWay.verifier),
        code_challenge_method: 'S256',
      });
      return { url, underWay };
    },
    async complete(returned, { state, nonce, verifier }) {
      const configuration = await discover();
      try {
        const tokens = await openid.authorizationCodeGrant(configuration, returned, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        });
        return tokens.id_token!;
      } catch (error) {
        if (error instanceof openid.ClientError && error.code === 'OAUTH_TIMEOUT') throw unavailable(error);
        if (error instanceof TypeError) throw unavailable(error);
        throw failure('Forbidden', `the sign-in at ${issuer} did not succeed: ${wordsOf(error)}`);
      }
    },
  };

  async function discover(): Promise<openid.Configuration> {
    discovered ??= ask();
    try {
      return await discovered;
    } catch (error) {
      discovered = undefined;
      throw unavailable(error);
    }
  }

  async function ask(): Promise<openid.Configuration> {
    const secret = await clientSecret?.();
    const server = new URL(issuer);
    return openid.discovery(server, clientId, {}, secret ? openid.ClientSecretBasic(secret) : openid.None(), {
      timeout: 5,
      // Plain HTTP is for a provider of the same machine: the sandbox's.
      ...(server.protocol === 'http:' && ['127.0.0.1', 'localhost'].includes(server.hostname)
        ? { execute: [openid.allowInsecureRequests] }
        : {}),
    });
  }

  function unavailable(error: unknown): Error {
    return failure('Unavailable', `the OpenID provider ${issuer} cannot be used now: ${wordsOf(error)}`);
  }
}

/** The code of an error, which never has a token; not its text, which may quote the answer of the provider. */
function wordsOf(error: unknown): string {
  if (error instanceof openid.AuthorizationResponseError) return error.error;
  if (error instanceof openid.ResponseBodyError) return error.error;
  const { code, cause } = error as { code?: string; cause?: { code?: string } };
  return cause?.code ?? code ?? 'no answer';
}
