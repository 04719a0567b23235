import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { SignInUnderWay } from '../../adapters/identity/sign-in.ts';
import { isSame, Refusal } from '../requests.ts';
import type { Visitor } from './desk.ts';
import { createSeal, newSecret, type Seal } from './sealed-cookies.ts';

/** Who signed in with a browser. */
export interface Session extends Record<string, unknown> {
  visitor: Visitor;
  /** Forms must bring it: another site's page cannot read it. */
  csrf: string;
}

interface Begun extends Record<string, unknown> {
  underWay: SignInUnderWay;
  /** Path to go on to. */
  to: string;
}

const SESSION_SECONDS = 3600;
const SIGN_IN_SECONDS = 600;

export interface Sessions {
  read(context: Context): Promise<Session | undefined>;
  start(context: Context, visitor: Visitor): Promise<void>;
  end(context: Context): void;
  /** Remembers a sign-in that is under way. */
  remember(context: Context, begun: Begun): Promise<void>;
  /** What was remembered, once. */
  recall(context: Context): Promise<Begun | undefined>;
  /** What is told on the page that a form leads to, for a minute and by us only. */
  note: Seal<{ text: string; gate: string }>;
  /** @throws Refusal 403 unless a page of ours sent it: by its origin and by the token of the session */
  checkOrigin(context: Context, session: Session, given: unknown): void;
}

/**
 * Sessions in a sealed cookie, for an hour. SameSite is Lax, not Strict: people come from a message or from the provider,
 * and a Strict cookie would not be sent with that. What changes something needs the token and the origin besides.
 * @param origin of this server, as browsers see it
 */
export function createSessions(secret: string, origin: string): Sessions {
  const secure = origin.startsWith('https:');
  const sessions = createSeal<Session>(secret, 'session');
  const signIns = createSeal<Begun>(secret, 'sign-in');
  const options = { path: '/', httpOnly: true, secure, sameSite: 'Lax' } as const;
  // The prefix makes browsers refuse such a cookie from a subdomain, or over plain HTTP.
  const named = (name: string): string => (secure ? `__Host-${name}` : name);
  const SESSION = named('windlass_session');
  const SIGN_IN = named('windlass_sign_in');

  return {
    note: createSeal(secret, 'note'),
    read: (context) => sessions.open(getCookie(context, SESSION)),
    async start(context, visitor) {
      const sealed = await sessions.close({ visitor, csrf: newSecret() }, SESSION_SECONDS);
      setCookie(context, SESSION, sealed, { ...options, maxAge: SESSION_SECONDS });
    },
    end: (context) => void deleteCookie(context, SESSION, options),
    async remember(context, begun) {
      const sealed = await signIns.close(begun, SIGN_IN_SECONDS);
      setCookie(context, SIGN_IN, sealed, { ...options, maxAge: SIGN_IN_SECONDS });
    },
    async recall(context) {
      const begun = await signIns.open(getCookie(context, SIGN_IN));
      deleteCookie(context, SIGN_IN, options);
      return begun;
    },
    checkOrigin(context, { csrf }, given) {
      if (context.req.header('origin') !== origin) throw new Refusal(403, `expected a page of ${origin}`);
      if (typeof given === 'string' && isSame(given, csrf)) return;
      throw new Refusal(403, 'this page is of another session: load it again');
    },
  };
}
