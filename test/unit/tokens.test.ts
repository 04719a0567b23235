import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWTPayload } from 'jose';
import { createTokenVerifier, type TokenIssuer } from '../../src/adapters/identity/tokens.ts';

// A small issuer: its discovery document and its keys. The tokens are made by jose, as an OpenID provider makes them.
let server: Server;
let issuer: TokenIssuer;
let key: CryptoKey;
let publicKey: CryptoKey;
const published: object[] = [];
const now = () => Math.floor(Date.now() / 1000);

beforeAll(async () => {
  server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo;
    const origin = `http://127.0.0.1:${port}`;
    const documents: Record<string, object> = {
      '/.well-known/openid-configuration': { issuer: origin, jwks_uri: `${origin}/jwks` },
      '/liar/.well-known/openid-configuration': { issuer: origin, jwks_uri: `${origin}/jwks` },
      '/jwks': { keys: published },
    };
    const document = documents[request.url ?? ''];
    response.writeHead(document ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const pair = await generateKeyPair('RS256', { extractable: true });
  key = pair.privateKey;
  publicKey = pair.publicKey;
  published.push({ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' });
  issuer = { issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, audience: 'windlass' };
});
afterAll(() => server.close());

const claimsOf = (over: JWTPayload = {}): JWTPayload => ({
  iss: issuer.issuer,
  aud: 'windlass',
  sub: '4711',
  iat: now() - 10,
  exp: now() + 300,
  ...{ email: 'Ana@Example.com', email_verified: true, groups: ['leads', 7], azp: 'windlass-cli' },
  ...over,
});
const sign = (over: JWTPayload = {}, header: object = {}, by: CryptoKey | Uint8Array = key): Promise<string> =>
  new SignJWT(claimsOf(over)).setProtectedHeader({ alg: 'RS256', kid: 'one', ...header }).sign(by);
const read = (token: string) => createTokenVerifier().read(token, [issuer]);

test('a good token says who it is, and nothing of it is kept', async () => {
  expect(await read(await sign())).toEqual({
    identity: {
      issuer: issuer.issuer,
      audience: 'windlass',
      subject: '4711',
      email: 'ana@example.com',
      groups: ['leads'],
      client: 'windlass-cli',
    },
  });
});

test('an address that the provider did not verify is nobody', async () => {
  const reading = await read(await sign({ email_verified: false }));
  expect(reading).toHaveProperty('identity');
  expect(reading).not.toHaveProperty('identity.email');
});

const REFUSED: [string, string, () => Promise<string> | string][] = [
  ['expired', 'has expired', () => sign({ exp: now() - 60 })],
  ['not yet valid', 'not valid yet', () => sign({ nbf: now() + 120 })],
  ['wrong audience', 'not for windlass', () => sign({ aud: 'another' })],
  ['wrong issuer', 'issuer is not one', () => sign({ iss: 'https://id.example.com' })],
  ['no issuer', 'no signed token', () => new SignJWT({ sub: 'x' }).setProtectedHeader({ alg: 'RS256' }).sign(key)],
  ['no expiry', 'claim exp', () => sign({ exp: undefined })],
  ['no subject', 'claim sub', () => sign({ sub: undefined })],
  ['alg none', 'algorithm is not allowed', () => new UnsecuredJWT(claimsOf()).encode()],
  [
    'HS256 with the public key',
    'algorithm is not allowed',
    async () => sign({}, { alg: 'HS256' }, new TextEncoder().encode(await exportSPKI(publicKey))),
  ],
  ['unknown key id', 'does not have', () => sign({}, { kid: 'two' })],
  [
    'signed by somebody else',
    'signature does not verify',
    async () => sign({}, {}, (await generateKeyPair('RS256')).privateKey),
  ],
  [
    'altered',
    'signature does not verify',
    async () => {
      const [header, , signature] = (await sign()).split('.');
      return [header, Buffer.from(JSON.stringify(claimsOf({ sub: '1' }))).toString('base64url'), signature].join('.');
    },
  ],
  ['no token', 'no signed token', () => 'hello'],
];
test.each(REFUSED)('refused: %s', async (_, fault, make) => {
  const token = await make();
  const reading = await read(token);
  expect(reading).toEqual({ fault: expect.stringContaining(fault) });
  expect(JSON.stringify(reading)).not.toContain(token);
});

test('a key that the issuer publishes later is found', async () => {
  const verifier = createTokenVerifier({ cooldownMs: 0 });
  expect(await verifier.read(await sign(), [issuer])).toHaveProperty('identity');
  const fresh = await generateKeyPair('ES256', { extractable: true });
  published.push({ ...(await exportJWK(fresh.publicKey)), kid: 'three', alg: 'ES256', use: 'sig' });
  const token = await sign({}, { alg: 'ES256', kid: 'three' }, fresh.privateKey);
  expect(await verifier.read(token, [issuer])).toHaveProperty('identity');
});

test('an issuer may count for several audiences', async () => {
  const other = { ...issuer, audience: 'another' };
  const reading = await createTokenVerifier().read(await sign(), [other, issuer]);
  expect(reading).toHaveProperty('identity.audience', 'windlass');
});

test('an issuer that says another name, or does not answer, is unavailable', async () => {
  const liar = { ...issuer, issuer: `${issuer.issuer}/liar` };
  await expect(createTokenVerifier().read(await sign({ iss: liar.issuer }), [liar])).rejects.toMatchObject({
    type: 'Unavailable',
  });
  const gone = { issuer: 'http://127.0.0.1:9', audience: 'windlass' };
  await expect(createTokenVerifier().read(await sign({ iss: gone.issuer }), [gone])).rejects.toMatchObject({
    type: 'Unavailable',
  });
});
