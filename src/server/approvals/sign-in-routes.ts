import { isFailure } from '../../adapters/failure.ts';
import type { SignIn } from '../../adapters/identity/sign-in.ts';
import { Refusal } from '../requests.ts';
import type { App } from './context.ts';
import type { Limiter } from './limits.ts';
import { message } from './pages/layout.ts';
import { isOurs, signInLink } from './pages/sign-in.ts';
import type { Sessions } from './sessions.ts';
import type { Identification } from './who.ts';

export interface SignInRoutes extends Pick<Identification, 'readToken'> {
  origin: string;
  signIn: SignIn;
  sessions: Sessions;
  limiter: Limiter;
  layout: { style: string };
}

/** The way to the OpenID provider, the way back, and the end of a session. */
export function signInRoutes(app: App, { origin, signIn, sessions, limiter, layout, readToken }: SignInRoutes): void {
  app.get('/login', async (context) => {
    const to = context.req.query('to') ?? '/gates';
    const { url, underWay } = await signIn.begin();
    await sessions.remember(context, { underWay, to: isOurs(to) ? to : '/gates' });
    return context.redirect(url.href, 303);
  });

  app.get('/login/callback', async (context) => {
    const address = context.get('address');
    await limiter.failuresPerAddress.check(address);
    const begun = await sessions.recall(context);
    // Without it, somebody else's sign-in could be finished in this browser.
    if (!begun) throw new Refusal(400, 'this sign-in was not begun in this browser, or too long ago: sign in again');
    const { search } = new URL(context.req.url);
    const returned = new URL(`/login/callback${search}`, origin);
    const token = await signIn.complete(returned, begun.underWay).catch(async (error: unknown) => {
      if (!isFailure(error, 'Forbidden')) throw error;
      await limiter.failuresPerAddress.take(address);
      throw new Refusal(403, error.message);
    });
    const read = await readToken(token);
    if ('fault' in read) throw new Refusal(403, `the provider's token does not count: ${read.fault}`);
    await sessions.start(context, { how: 'oidc', identity: read.identity });
    return context.redirect(begun.to, 303);
  });

  app.post('/logout', async (context) => {
    const session = await sessions.read(context);
    if (session) sessions.checkOrigin(context, session, (await context.req.parseBody())['csrf']);
    sessions.end(context);
    return context.html(message({ ...layout, title: 'Signed out' }, 'You are signed out here.', signInLink('/gates')));
  });
}
