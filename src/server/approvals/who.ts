import type { Context } from 'hono';
import type { TokenReading } from '../../adapters/identity/tokens.ts';
import { Refusal } from '../requests.ts';
import type { Visitor } from './desk.ts';
import type { Limiter } from './limits.ts';
import type { Session, Sessions } from './sessions.ts';

/** Who asks: a program by its token, or a browser by its session. */
export interface Caller {
  visitor: Visitor;
  session?: Session;
}

/** Nobody yet; browsers are shown where to sign in. */
export class Unknown extends Refusal {
  constructor(message = 'sign in, or bring a bearer token') {
    super(401, message);
  }
}

export interface Identification {
  sessions: Sessions;
  limiter: Limiter;
  /** Whose a bearer token is. */
  readToken: (token: string) => Promise<TokenReading>;
}

/**
 * Says who asks. A token counts alone: whatever cookie comes with it is not looked at.
 * @throws Unknown; TooMany for an address that tried too many tokens, and for a person that asks too often
 */
export async function whoAsks(context: Context, address: string, from: Identification): Promise<Caller> {
  const caller = await identified(context, address, from);
  const { issuer, subject } = caller.visitor.identity;
  await from.limiter.perPerson.take(`${issuer} ${subject}`);
  return caller;
}

async function identified(context: Context, address: string, from: Identification): Promise<Caller> {
  const { sessions, limiter, readToken } = from;
  const authorization = context.req.header('authorization');
  if (authorization === undefined) {
    const session = await sessions.read(context);
    if (!session) throw new Unknown();
    return { visitor: session.visitor, session };
  }
  await limiter.failuresPerAddress.check(address);
  const [, token] = /^Bearer ([\w.~+/=-]+)$/i.exec(authorization) ?? [];
  const read: TokenReading = token ? await readToken(token) : { fault: 'it is none' };
  if ('identity' in read) return { visitor: { how: 'oidc', identity: read.identity } };
  await limiter.failuresPerAddress.take(address);
  throw new Unknown(`the bearer token does not count: ${read.fault}`);
}
