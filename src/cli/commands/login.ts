import type { Context } from '../context.ts';
import { readSandbox } from '../configuration.ts';
import { CliError, EXIT, type ExitCode } from '../errors.ts';
import { forgetLogin, keepLogin, readLogin, type KeptLogin } from '../login-file.ts';

const TIMEOUT_MS = 5 * 60_000;

/** `login`: logs in at the OpenID provider in a browser, and keeps the token for decisions. */
export async function login({ io, out }: Context): Promise<ExitCode> {
  const { issuer, clientId } = providerOf(io.env);
  const { logIn } = await import('../../adapters/identity/login.ts');
  try {
    const { token, identity, expiresAt } = await logIn({
      ...{ issuer, clientId, timeoutMs: TIMEOUT_MS },
      onUrl: (url) => out.note(`Log in here: ${url}`),
    });
    const { subject, email, groups } = identity;
    const kept: KeptLogin = { issuer, subject, ...(email ? { email } : {}), groups, expiresAt, token };
    const file = keepLogin(io.env, kept);
    out.result(
      { ...shown(kept), file },
      () => `${words(kept)}\nThe token is kept in ${file}; windlass logout removes it.`,
    );
    return EXIT.ok;
  } catch (error) {
    throw new CliError('not-allowed', `Not logged in: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** `logout`: forgets the token of this machine. The session of the browser at the provider is its own. */
export async function logout({ io, out }: Context): Promise<ExitCode> {
  forgetLogin(io.env);
  out.result({ loggedIn: false }, () => 'Logged out here.');
  return EXIT.ok;
}

/** `whoami`: who the provider said it is. */
export async function whoami({ io, out, me }: Context): Promise<ExitCode> {
  const kept = readLogin(io.env, Date.now());
  if (!kept)
    throw new CliError(
      'not-allowed',
      `Not logged in. Where a name is believed, you are ${me}.`,
      'Log in: windlass login',
    );
  out.result(shown(kept), () => words(kept));
  return EXIT.ok;
}

const shown = ({ token: _, ...rest }: KeptLogin): object => ({ loggedIn: true, ...rest });

const words = ({ issuer, subject, email, groups, expiresAt }: KeptLogin): string =>
  `Logged in as ${email ?? subject} at ${issuer} until ${expiresAt}${groups.length > 0 ? `; groups: ${groups.join(', ')}` : ''}`;

/** @throws CliError `configuration-invalid` */
function providerOf(env: NodeJS.ProcessEnv): { issuer: string; clientId: string } {
  const issuer = env['WINDLASS_OIDC_ISSUER'] ?? readSandbox(env)?.identity?.issuer;
  if (!issuer)
    throw new CliError(
      'configuration-invalid',
      'No OpenID provider is configured.',
      'Set WINDLASS_OIDC_ISSUER, and WINDLASS_OIDC_CLIENT_ID when the client is not called windlass.',
    );
  return { issuer, clientId: env['WINDLASS_OIDC_CLIENT_ID'] ?? 'windlass' };
}
