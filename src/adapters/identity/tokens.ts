import { createRemoteJWKSet, decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { TOKEN_ALGORITHMS, type TokenIdentity, type TokenIssuer } from '../../contracts/identity.ts';
import { failure } from '../failure.ts';
import { getHttp } from '../http.ts';

export type { TokenIdentity, TokenIssuer };

export type TokenReading = { identity: TokenIdentity } | { fault: string };

export interface TokenVerifier {
  /**
   * Verifies an ID token or a JWT access token: signature by the keys of its issuer, issuer, audience, times, algorithm.
   * @throws Unavailable when the issuer cannot be asked for its keys
   */
  read(token: string, issuers: TokenIssuer[]): Promise<TokenReading>;
}

const SKEW_SECONDS = 30;
const TIMEOUT_MS = 5000;

/** How often an issuer is asked for a key that it did not have: whoever makes up key ids must not make us ask it. */
const COOLDOWN_MS = 5000;

/** One for the life of the process: it keeps the keys of issuers, and asks anew for a key that it does not know. */
export function createTokenVerifier({ cooldownMs = COOLDOWN_MS } = {}): TokenVerifier {
  const keys = new Map<string, JWTVerifyGetKey>();
  const discovered = new Map<string, string>();

  return {
    async read(token, issuers) {
      const claimed = issuerOf(token);
      if (claimed === undefined) return { fault: 'it is no signed token' };
      let reading: TokenReading = { fault: 'its issuer is not one of those that count here' };
      // One issuer may be listed for several audiences.
      for (const issuer of issuers.filter((each) => each.issuer === claimed)) {
        reading = await readFrom(token, issuer);
        if ('identity' in reading) return reading;
      }
      return reading;
    },
  };

  async function readFrom(token: string, issuer: TokenIssuer): Promise<TokenReading> {
    const keysOfIssuer = await keysOf(issuer);
    try {
      const { payload } = await jwtVerify(token, keysOfIssuer, {
        issuer: issuer.issuer,
        audience: issuer.audience,
        algorithms: [...(issuer.algorithms ?? TOKEN_ALGORITHMS)],
        requiredClaims: ['sub', 'exp', 'iat'],
        clockTolerance: SKEW_SECONDS,
      });
      return { identity: identityOf(payload, issuer) };
    } catch (error) {
      return { fault: faultOf(error, issuer) };
    }
  }

  async function keysOf(issuer: TokenIssuer): Promise<JWTVerifyGetKey> {
    const url = issuer.jwks ?? (await discover(issuer.issuer));
    const known = keys.get(url);
    if (known) return known;
    const fresh = createRemoteJWKSet(new URL(url), { timeoutDuration: TIMEOUT_MS, cooldownDuration: cooldownMs });
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

function identityOf(payload: JWTPayload, { issuer, audience, groups: claim = 'groups' }: TokenIssuer): TokenIdentity {
  const { sub, email, email_verified: verified, client_id: clientId, azp } = payload;
  const groups = payload[claim];
  const client = [clientId, azp].find((each) => typeof each === 'string');
  return {
    issuer,
    audience,
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
