import { generateKeyPairSync } from 'node:crypto';
import { createStatementSigner, createStatementVerifier } from '../../src/adapters/identity/statements.ts';
import type { StatementClaims } from '../../src/contracts/statement.ts';
import { faultOfStatement, type StatementUse } from '../../src/domain/statement.ts';

const newKeys = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    secret: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    shown: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
};
const now = Date.parse('2030-01-07T08:00:00Z');
const claims: StatementClaims = {
  by: 'ana',
  how: 'oidc',
  identity: { issuer: 'https://id.example.com', subject: '4711' },
  roles: ['lead'],
  gate: 'lead',
  code: 'abcd-0123',
  decision: 'approve',
  reason: 'read the diff',
  workflowId: 'deploy/shop/production/v2',
  runId: '0193f0c2-0000-7000-8000-000000000000',
};
const { by, gate, code, decision, reason, workflowId, runId } = claims;
const use: StatementUse = {
  decision: { by, gate, code, decision, ...(reason ? { reason } : {}) },
  ...{ workflowId, runId, receivedAt: now + 1000 },
};

async function read(statement: string, ...keys: string[]) {
  return (await createStatementVerifier(keys.join('\n'))).read(statement);
}

test('a statement says what was signed, and something that makes it unique', async () => {
  const { secret, shown } = newKeys();
  const signer = await createStatementSigner(secret);
  const [first, second] = [await signer.sign(claims, now), await signer.sign(claims, now)];
  const reading = await read(first, shown);
  expect(reading).toEqual({
    statement: { ...claims, iat: now / 1000, exp: now / 1000 + 60, jti: expect.stringMatching(/^[0-9a-f-]{36}$/) },
  });
  expect(await read(second, shown)).not.toEqual(reading);
  expect('statement' in reading && faultOfStatement(reading.statement, use)).toBeUndefined();
});

test('while keys change both verify; afterwards the old one does not', async () => {
  const [old, fresh] = [newKeys(), newKeys()];
  const statement = await (await createStatementSigner(old.secret)).sign(claims, now);
  expect(await read(statement, old.shown, fresh.shown)).toHaveProperty('statement');
  expect(await read(statement, fresh.shown)).toEqual({ fault: 'it is signed with a key that is not ours' });
});

test.each<[string, Partial<StatementUse>]>([
  ['for another procedure', { workflowId: 'deploy/shop/production/v3' }],
  ['for another run', { runId: '0193f0c2-0000-7000-8000-000000000001' }],
  ['for gate lead', { decision: { ...use.decision, gate: 'security' } }],
  ['for code abcd-0123', { decision: { ...use.decision, code: 'abcd-9999' } }],
  ['by ana', { decision: { ...use.decision, by: 'bea' } }],
  ['says approve', { decision: { ...use.decision, decision: 'reject' } }],
  ['about break-glass', { decision: { ...use.decision, breakGlass: true } }],
  ['another reason', { decision: { ...use.decision, reason: 'did not read it' } }],
  ['other fields', { decision: { ...use.decision, fields: { ticket: 'OPS-1' } } }],
  ['not valid yet', { receivedAt: now - 31_000 }],
  ['expired', { receivedAt: now + 90_000 }],
])('a statement does not hold for another message: %s', (fault, over) => {
  const said = { ...claims, jti: 'x'.repeat(16), iat: now / 1000, exp: now / 1000 + 60 };
  expect(faultOfStatement(said, use)).toBeUndefined();
  expect(faultOfStatement(said, { ...use, ...over })).toContain(fault);
});

test('a lifetime that no server of ours gives is refused', () => {
  const said = { ...claims, jti: 'x'.repeat(16), iat: now / 1000, exp: now / 1000 + 301 };
  expect(faultOfStatement(said, use)).toBe('its lifetime is not ours');
});

test('keys that are no Ed25519 keys are refused without being quoted', async () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const secret = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await expect(createStatementSigner(secret)).rejects.toThrow('no Ed25519 private key');
  await expect(createStatementVerifier('')).rejects.toThrow('found none');
  const shown = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  await expect(createStatementVerifier(shown)).rejects.toThrow('no Ed25519 key');
});
