import { createSignIn } from '../../src/adapters/identity/sign-in.ts';
import { CLIENT_ID, startOpenIdProvider, type OpenIdProvider } from '../support/openid-provider.ts';

const CALLBACK = 'http://127.0.0.1:18830/login/callback';
let provider: OpenIdProvider;
beforeAll(async () => {
  provider = await startOpenIdProvider(CALLBACK);
});
afterAll(() => provider.close());

const signInAt = (issuer: string) =>
  createSignIn({ issuer, clientId: CLIENT_ID, callback: CALLBACK, scope: 'openid email' });
const returned = (query: Record<string, string>): URL =>
  new URL(`${CALLBACK}?${new URLSearchParams(query).toString()}`);

test('a browser is sent to the provider with PKCE, state and nonce, new ones each time', async () => {
  const signIn = signInAt(provider.issuer);
  const [one, other] = [await signIn.begin(), await signIn.begin()];
  expect(one.url.origin).toBe(provider.issuer);
  expect(Object.fromEntries(one.url.searchParams)).toMatchObject({
    ...{ response_type: 'code', client_id: CLIENT_ID, redirect_uri: CALLBACK, scope: 'openid email' },
    ...{ code_challenge_method: 'S256', state: one.underWay.state, nonce: one.underWay.nonce },
  });
  expect(one.url.href).not.toContain(one.underWay.verifier);
  for (const key of ['state', 'nonce', 'verifier'] as const) expect(one.underWay[key]).not.toBe(other.underWay[key]);
});

test.each<[string, (state: string, issuer: string) => Record<string, string>]>([
  ['another state', (_, iss) => ({ code: 'c', state: 'another', iss })],
  ['no state', (_, iss) => ({ code: 'c', iss })],
  ['another issuer', (state) => ({ code: 'c', state, iss: 'https://evil.example.com' })],
  ['a code that the provider did not give', (state, iss) => ({ code: 'made-up', state, iss })],
  ['the refusal of the person', (state, iss) => ({ error: 'access_denied', state, iss })],
])('nobody is signed in by %s, and the words have nothing of what was sent', async (_, query) => {
  const signIn = signInAt(provider.issuer);
  const { underWay } = await signIn.begin();
  const failing = signIn.complete(returned(query(underWay.state, provider.issuer)), underWay);
  await expect(failing).rejects.toMatchObject({
    type: 'Forbidden',
    message: expect.not.stringMatching(/made-up|evil/) as string,
  });
});

test('a provider that does not answer is unavailable, and is asked anew the next time', async () => {
  const gone = await startOpenIdProvider(CALLBACK);
  await gone.close();
  const signIn = signInAt(gone.issuer);
  for (let tried = 0; tried < 2; tried++)
    await expect(signIn.begin()).rejects.toMatchObject({ type: 'Unavailable', message: expect.stringContaining(gone.issuer) }); // prettier-ignore
});
