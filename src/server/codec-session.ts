import { createHmac } from 'node:crypto';
import { isSame } from './requests.ts';

// Browsers cannot be given a bearer token, but they keep a cookie: who types the token once is known for a working day.
// The cookie is a date and its HMAC under the token: nothing is kept here, and another token ends every session.

const NAME = 'windlass_codec';
const LASTS_SECONDS = 12 * 3600;

/** Value of `Set-Cookie`: for this server alone, for scripts of nobody, and from pages of the same site only. */
export function sessionCookie(token: string, now: number): string {
  const until = String(Math.floor(now / 1000) + LASTS_SECONDS);
  const attributes = `Path=/; Max-Age=${LASTS_SECONDS}; HttpOnly; Secure; SameSite=Strict`;
  return `${NAME}=${until}.${seal(until, token)}; ${attributes}`;
}

/** Whether a header `Cookie` has a session of this token that is not over. */
export function hasSession(header: string | undefined, token: string, now: number): boolean {
  return (header ?? '').split(/;\s*/).some((cookie) => {
    const [, until, sealed] = /^windlass_codec=(\d{1,12})\.([A-Za-z0-9_-]{43})$/.exec(cookie) ?? [];
    return until !== undefined && isSame(sealed!, seal(until, token)) && Number(until) * 1000 > now;
  });
}

const seal = (until: string, token: string): string =>
  createHmac('sha256', token).update(`${NAME} ${until}`).digest('base64url');
