import { createRemoteJWKSet, decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import type { IdentitySource } from '../../contracts/statement.ts';
import { failure } from '../failure.ts';
import { getHttp } from '../http.ts';

/** An OpenID provider whose tokens count. */
export interface TokenIssuer {
  /** Exactly as the tokens have it. */
  issuer: string;
  /** Whom the tokens must be for: the client id of ID tokens, the resource of access tokens. */
  audience: string;
  /** @default as the discovery document of the issuer says */
  jwks?: string;
  /** @default RS256, PS256, ES256, EdDSA */
  algorithms?: string[];
  /** Claim with the groups of a person. @default groups */
  groups?: string;
}

/** What a good token says. Nothing of the token itself is kept. */
export interface TokenIdentity extends IdentitySource {
  /** Only when the provider verified it. */
  email?: string;
  groups: string[];
  /** The client that got the token: of a service identity it is the one itself. */
  client?: string;
}

export type TokenReading = { identity: TokenIdentity } | { fault: string };

export interface TokenVerifier {
  /**
   * Verifies an ID token or a JWT access token: signature by the keys of its issuer, issuer, audience, times, algorithm.
   * @throws Unavailable when the issuer cannot be asked for its keys
   */
  read(token: string, issuers: TokenIssuer[]): Promise<TokenReading>;
}

/** Asymmetric only: with a symmetric one whoever can verify can also sign, and a public key would pass for a secret. */
export const TOKEN_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const SKEW_SECONDS = 30;
const TIMEOUT_MS = 5000;

/** One for the life of the process: it keeps the keys of issuers, and asks anew for a key that it does not know. */
export function createTokenVerifier(): TokenVerifier {
  const keys = new Map<string, JWTVerifyGetKey>();
  const discovered = new Map<string, string>();

  return {
    async read(token, issuers) {
      const claimed = issuerOf(token);
      const issuer = issuers.find((each) => each.issuer === claimed);
      if (claimed === undefined) return { fault: 'it is no signed token' };
      if (!issuer) return { fault: 'its issuer is not one of those that count here' };
      try {
        const { payload } = await jwtVerify(token, await keysOf(issuer), {
          issuer: issuer.issuer,
          audience: issuer.audience,
          algorithms: (issuer.algorithms ?? TOKEN_ALGORITHMS).filter((name) => TOKEN_ALGORITHMS.includes(name)),
          requiredClaims: ['sub', 'exp', 'iat'],
          clockTolerance: SKEW_SECONDS,
        });
        return { identity: identityOf(payload, issuer) };
      } catch (error) {
        return { fault: faultOf(error, issuer) };
      }
    },
  };

  async function keysOf(issuer: TokenIssuer): Promise<JWTVerifyGetKey> {
    const url = issuer.jwks ?? (await discover(issuer.issuer));
    const known = keys.get(url);
    if (known) return known;
    const fresh = createRemoteJWKSet(new URL(url), { timeoutDuration: TIMEOUT_MS });
    keys.set(url, fresh);
    return fresh;
  }

  async function discover(issuer: string): Promise<string> {
    const known = discovered.get(issuer);
    if (known) return known;
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const { status, text } = await getHttp({ url, timeoutMs: TIMEOUT_MS });
    const document = readJson(text);
    const { issuer: said, jwks_uri: jwks } = document;
    if (status !== 200 || said !== issuer || typeof jwks !== 'string')
      throw failure('Unavailable', `${issuer} does not describe itself: expected its issuer and jwks_uri at ${url}`);
    discovered.set(issuer, jwks);
    return jwks;
  }
}

function readJson(text: string): Record<string, unknown> {
  try {
    return (JSON.parse(text) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Who it says it is from; nothing is verified yet. */
function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

function identityOf(payload: JWTPayload, { issuer, groups: claim = 'groups' }: TokenIssuer): TokenIdentity {
  const { sub, email, email_verified: verified, client_id: clientId, azp } = payload;
  const groups = payload[claim];
  const client = [clientId, azp].find((each) => typeof each === 'string');
  return {
    issuer,
    subject: sub!,
    ...(typeof email === 'string' && verified === true ? { email: email.toLowerCase() } : {}),
    groups: Array.isArray(groups) ? groups.filter((each): each is string => typeof each === 'string') : [],
    ...(typeof client === 'string' ? { client } : {}),
  };
}

/** In words that never quote the token. */
function faultOf(error: unknown, { issuer, audience }: TokenIssuer): string {
  if (error instanceof errors.JWTExpired) return 'it has expired; log in again';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return `it is not for ${audience}`;
    if (error.claim === 'iss') return `it is not from ${issuer}`;
    if (error.claim === 'nbf') return 'it is not valid yet';
    return `its claim ${error.claim} is missing or wrong`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported)
    return 'its algorithm is not allowed';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return `it is signed with a key that ${issuer} does not have`;
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature does not verify';
  if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid) return 'it is no signed token';
  throw failure('Unavailable', `the keys of ${issuer} cannot be read now`);
}
