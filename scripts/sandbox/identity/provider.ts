import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { urlencoded } from './form.ts';
import { Provider, type Configuration } from 'oidc-provider';
import { signInPage } from './page.ts';

/** Somebody who can log in. The password is the name: this is a sandbox, and listens on loopback. */
export interface Account {
  name: string;
  email: string;
  groups: string[];
}

/** The client of `windlass login`, and of the approval server: public, so PKCE is what protects it. */
export const CLIENT = 'windlass';
/** A program that gets its tokens by itself, for the API that its tokens are for. */
export const SERVICE_CLIENT = { id: 'deployer', secret: 'secret-of-the-sandbox' };
export const RESOURCE = 'https://windlass.sandbox/api';

export interface ProviderOptions {
  /** 0: any free one. */
  port: number;
  accounts: Account[];
  /** Where browsers may be sent back to, besides any port of loopback for the command line. */
  redirects?: string[];
  /** Private key that signs its tokens, as a JWK; without one the library's own for development does. */
  signingKey?: object;
}

export interface RunningProvider {
  issuer: string;
  close(): Promise<void>;
}

/** A certified OpenID provider with a login form, for a loopback address. */
export async function startProvider({
  port,
  accounts,
  redirects = [],
  signingKey,
}: ProviderOptions): Promise<RunningProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    ...configurationOf(accounts, redirects),
    ...(signingKey ? { jwks: { keys: [signingKey] } } : {}),
  });
  provider.use(async (context, next) => {
    const [, uid] = /^\/interaction\/([\w-]+)$/.exec(context.path) ?? [];
    if (uid === undefined) await next();
    else await interact(provider, context, accounts);
  });
  const answer = provider.callback();
  server.on('request', (request, response) => void answer(request, response));
  return { issuer, close: () => closeServer(server) };
}

function configurationOf(accounts: Account[], redirects: string[]): Configuration {
  return {
    clients: [
      {
        client_id: CLIENT,
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code'],
        response_types: ['code'],
        redirect_uris: ['http://127.0.0.1/callback', ...redirects],
      },
      {
        client_id: SERVICE_CLIENT.id,
        client_secret: SERVICE_CLIENT.secret,
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
      },
    ],
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
    // The command line and the server read the ID token alone.
    conformIdTokenClaims: false,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        getResourceServerInfo: () => ({ scope: 'decide', audience: RESOURCE, accessTokenFormat: 'jwt' }),
      },
    },
    ttl: { IdToken: 3600, AccessToken: 3600, ClientCredentials: 600, Interaction: 600, Session: 3600, Grant: 3600 },
    findAccount: (_context, id) => {
      const account = accounts.find(({ name }) => name === id);
      return (
        account && {
          accountId: id,
          claims: () => ({ sub: id, name: id, email: account.email, email_verified: true, groups: account.groups }),
        }
      );
    },
  };
}

type Context = Parameters<Parameters<Provider['use']>[0]>[0];

/** The page where people sign in, and what is sent with it. */
async function interact(provider: Provider, context: Context, accounts: Account[]): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(context.req, context.res);
  if (prompt.name === 'consent') {
    // Everything that the client asks for is granted to who has logged in.
    const grant = new provider.Grant({ clientId: params['client_id'] as string, accountId: session!.accountId });
    grant.addOIDCScope('openid email profile');
    const grantId = await grant.save();
    await provider.interactionFinished(
      context.req,
      context.res,
      { consent: { grantId } },
      { mergeWithLastSubmission: true },
    );
    context.respond = false;
    return;
  }
  const show = async (failed?: { name: string }): Promise<void> => {
    const people = accounts.map(({ name }) => name);
    context.status = failed ? 401 : 200;
    context.type = 'html';
    context.set('cache-control', 'no-store');
    context.set('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    context.body = await signInPage({ client: String(params['client_id']), people, ...(failed ? { failed } : {}) });
  };
  if (context.method === 'GET') return show();
  const form = await urlencoded(context.req);
  const typed = form.get('login') ?? '';
  const account = accounts.find(({ name }) => name === typed);
  if (!account || form.get('password') !== account.name) return show({ name: typed });
  await provider.interactionFinished(context.req, context.res, { login: { accountId: account.name } });
  context.respond = false;
}

const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });
