import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { CompactSign, importPKCS8, UnsecuredJWT } from 'jose';
import type { WorkflowHandleWithStartDetails } from '@temporalio/client';
import { createStatementActivities } from '../../activities/statements.ts';
import {
  createStatementSigner,
  createStatementVerifier,
  type StatementSigner,
  type StatementVerifier,
} from '../../src/adapters/identity/statements.ts';
import type { Decision, DecisionResult, GateSpec, GateView } from '../../src/contracts/gates.ts';
import type { StatementClaims } from '../../src/contracts/statement.ts';
import type { Person } from '../../src/domain/gate-rights.ts';
import type { StatementUse } from '../../src/domain/statement.ts';
import { startTimeSkipping, type TestTemporal } from '../support/temporal.ts';
import type { GatedInput, GatedResult } from '../support/workflows/gated.ts';

const people: Person[] = [
  { name: 'ana', roles: ['lead'] },
  { name: 'bea', roles: ['lead'] },
  { name: 'dan', roles: ['dev'] },
  { name: 'kim', roles: ['on-call'] },
  { name: 'robot', roles: ['lead'], service: true },
];
const spec: GateSpec = {
  ...{ name: 'lead', kind: 'approval', asks: 'Go?', roles: ['lead'], quorum: 1, fourEyes: true },
  ...{ expiresAfterMs: 3_600_000, breakGlass: { roles: ['on-call'], notify: ['ops'], reviewWithinMs: 3_600_000 } },
};

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const secret = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const shown = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const stranger = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

let temporal: TestTemporal;
let signer: StatementSigner;
let verifier: StatementVerifier;
/** Verifications that wait until a test lets them go. */
let gate: Promise<void> | undefined;

beforeAll(async () => {
  signer = await createStatementSigner(secret);
  verifier = await createStatementVerifier(shown);
  const { verifyStatement } = createStatementActivities({ statements: verifier });
  temporal = await startTimeSkipping({
    workflows: 'test/support/workflows/gated.ts',
    activities: () => ({
      notify: async ({ channels }: { channels: string[] }) => ({ delivered: channels, failed: [] }),
      loadEnvironment: async () => ({ digest: 'sha256:catalog', people }),
      verifyStatement: async (given: { statement: string; use: StatementUse }) => {
        await gate;
        return verifyStatement(given);
      },
    }),
  });
});
beforeEach(() => (gate = undefined));
afterAll(() => temporal.stop());

type Handle = WorkflowHandleWithStartDetails;
const start = (over: Partial<GatedInput> = {}, one: Partial<GateSpec> = {}): Promise<Handle> => {
  const rounds = [[{ ...spec, ...one }]];
  const input = {
    rounds,
    people,
    requestedBy: 'kim',
    digest: 'sha256:plan',
    identity: 'verified',
    ...over,
  } as GatedInput;
  return temporal.client.workflow.start('gated', {
    taskQueue: temporal.taskQueue,
    workflowId: `gated-${randomUUID()}`,
    args: [input],
  });
};
const gateOf = async (handle: Handle): Promise<GateView> => (await handle.query<GateView[]>('gates'))[0]!;
const nowOf = () => temporal.env.currentTimeMs();

/** A decision for the gate of a run, and the claims that its statement needs. */
async function say(
  handle: Handle,
  over: Partial<Decision> = {},
): Promise<{ decision: Decision; claims: StatementClaims }> {
  const { name, code } = await gateOf(handle);
  const decision: Decision = { gate: name, decision: 'approve', by: 'ana', code, ...over };
  const { workflowId, firstExecutionRunId: runId } = handle;
  const identity = { issuer: 'https://id.example.com', subject: `sub-${decision.by}` };
  return { decision, claims: { ...decision, how: 'oidc', identity, roles: [], workflowId, runId } };
}
const send = (handle: Handle, decision: Decision): Promise<DecisionResult> =>
  handle.executeUpdate<DecisionResult, [unknown]>('decide', { args: [decision] });
const decide = async (handle: Handle, over: Partial<Decision> = {}, claimed: Partial<StatementClaims> = {}) => {
  const { decision, claims } = await say(handle, over);
  return send(handle, { ...decision, statement: await signer.sign({ ...claims, ...claimed }, await nowOf()) });
};
const untouched = async (handle: Handle) => {
  const { outcome, approvals, decisions } = await gateOf(handle);
  expect({ outcome, approvals, decisions }).toEqual({ outcome: 'waiting', approvals: [], decisions: [] });
};
const historyOf = async (handle: Handle): Promise<string> => JSON.stringify(await handle.fetchHistory());

test('a verified person approves, and the gate says how it was known who it is', async () => {
  const handle = await start();
  expect(await decide(handle)).toMatchObject({ code: 'recorded', gate: { identity: 'verified' } });
  expect((await gateOf(handle)).approvals).toMatchObject([
    { by: 'ana', verified: { how: 'oidc', issuer: 'https://id.example.com', subject: 'sub-ana' } },
  ]);
  expect(await (handle.result() as Promise<GatedResult>)).toMatchObject({ outcome: 'approved' });
});

const everyWord: Partial<Decision>[] = [
  { decision: 'approve' },
  { decision: 'reject' },
  { decision: 'retract' },
  { decision: 'withdraw', by: 'kim' },
  { decision: 'approve', by: 'kim', breakGlass: true, reason: 'checkout is down' },
];
test.each(everyWord)('a name alone is not enough: %j', async (over) => {
  const handle = await start();
  const { decision } = await say(handle, over);
  expect((await send(handle, decision)).code).toBe('identity-required');
  await untouched(handle);
});

test('Signals are no way around it', async () => {
  const handle = await start();
  const { decision } = await say(handle);
  for (const word of ['approve', 'reject']) await handle.signal(word, { ...decision, decision: undefined });
  await untouched(handle);
  const { claims } = await say(handle);
  const { decision: _, ...message } = decision;
  await handle.signal('approve', { ...message, statement: await signer.sign(claims, await nowOf()) });
  expect(await (handle.result() as Promise<GatedResult>)).toMatchObject({ outcome: 'approved' });
});

const FORGED: [string, (made: { claims: StatementClaims; now: number }) => Promise<string>][] = [
  ['has expired', ({ claims, now }) => signer.sign(claims, now - 120_000)],
  ['is not valid yet', ({ claims, now }) => signer.sign(claims, now + 120_000)],
  ['another procedure', ({ claims, now }) => signer.sign({ ...claims, workflowId: 'gated-other' }, now)],
  ['another run', ({ claims, now }) => signer.sign({ ...claims, runId: randomUUID() }, now)],
  ['for gate security', ({ claims, now }) => signer.sign({ ...claims, gate: 'security' }, now)],
  ['for code abcd-0123', ({ claims, now }) => signer.sign({ ...claims, code: 'abcd-0123' }, now)],
  ['by bea', ({ claims, now }) => signer.sign({ ...claims, by: 'bea' }, now)],
  ['says reject', ({ claims, now }) => signer.sign({ ...claims, decision: 'reject' }, now)],
  ['break-glass', ({ claims, now }) => signer.sign({ ...claims, breakGlass: true }, now)],
  ['another reason', ({ claims, now }) => signer.sign({ ...claims, reason: 'looks good' }, now)],
  ['not ours', async ({ claims, now }) => (await createStatementSigner(stranger)).sign(claims, now)],
  ['does not verify', ({ claims, now }) => forge(claims, now, { kid: signer.keyId }, stranger)],
  ['does not verify', async ({ claims }) => new UnsecuredJWT({ ...claims }).encode()],
  ['does not verify', ({ claims, now }) => withPublicKeyAsSecret(claims, now)],
  ['no statement', ({ claims, now }) => forge(claims, now, { kid: signer.keyId, typ: 'JWT' }, secret)],
  ['does not verify', async () => 'not.a.statement'],
];
const bodyOf = (claims: StatementClaims, now: number) =>
  new TextEncoder().encode(
    JSON.stringify({ ...claims, jti: randomUUID(), iat: Math.floor(now / 1000), exp: Math.floor(now / 1000) + 60 }),
  );
async function forge(claims: StatementClaims, now: number, header: object, pem: string): Promise<string> {
  const key = await importPKCS8(pem, 'EdDSA');
  const protectedHeader = { alg: 'EdDSA', typ: 'windlass-decision+jwt', ...header };
  return new CompactSign(bodyOf(claims, now)).setProtectedHeader(protectedHeader).sign(key);
}
const withPublicKeyAsSecret = (claims: StatementClaims, now: number): Promise<string> =>
  new CompactSign(bodyOf(claims, now))
    .setProtectedHeader({ alg: 'HS256', kid: signer.keyId, typ: 'windlass-decision+jwt' })
    .sign(new TextEncoder().encode(shown));

test.each(FORGED)('a statement that %s changes nothing (%#)', async (why, make) => {
  const handle = await start();
  const { decision, claims } = await say(handle);
  const statement = await make({ claims, now: await nowOf() });
  expect(await send(handle, { ...decision, statement })).toMatchObject({
    code: 'invalid-statement',
    message: expect.stringContaining(why),
    gate: { outcome: 'waiting' },
  });
  await untouched(handle);
});

test('a statement counts once, also after what it said was taken back', async () => {
  const handle = await start({}, { quorum: 2 });
  const { decision, claims } = await say(handle);
  const message = { ...decision, statement: await signer.sign(claims, await nowOf()) };
  expect((await send(handle, message)).code).toBe('recorded');
  expect((await decide(handle, { decision: 'retract' })).code).toBe('recorded');
  expect((await send(handle, message)).code).toBe('statement-used');
  expect((await gateOf(handle)).approvals).toEqual([]);
});

test('a person without the role is refused; groups of the identity provider can grant it', async () => {
  const handle = await start();
  expect((await decide(handle, { by: 'dan' })).code).toBe('wrong-role');
  expect((await decide(handle, { by: 'eve' }, { roles: ['lead'] })).code).toBe('unknown-person');
  await untouched(handle);
  expect((await decide(handle, { by: 'dan' }, { roles: ['lead'] })).code).toBe('recorded');
});

test('a service approves no gate of four eyes, unless the gate lets it; it may always stop', async () => {
  const handle = await start();
  expect((await decide(handle, { by: 'robot' }, { how: 'service' })).code).toBe('person-required');
  await untouched(handle);
  expect((await decide(handle, { by: 'robot', decision: 'reject' }, { how: 'service' })).code).toBe('recorded');
  const lenient = await start({}, { services: true });
  expect((await decide(lenient, { by: 'robot' }, { how: 'service' })).code).toBe('recorded');
});

test('the first decision wins by its reception, not by the end of its verification', async () => {
  const handle = await start({ identity: 'declared', lingers: true });
  let letGo = () => {};
  gate = new Promise((resolve) => (letGo = resolve));
  const { decision, claims } = await say(handle);
  const signed = { ...decision, statement: await signer.sign(claims, await nowOf()) };
  const first = await handle.startUpdate<DecisionResult, [unknown]>('decide', {
    args: [signed],
    waitForStage: 'ACCEPTED',
  });
  const second = await handle.startUpdate<DecisionResult, [unknown]>('decide', {
    args: [{ ...decision, by: 'bea', decision: 'reject' }],
    waitForStage: 'ACCEPTED',
  });
  expect((await gateOf(handle)).outcome).toBe('waiting');
  letGo();
  expect((await first.result()).code).toBe('recorded');
  expect((await second.result()).code).toBe('already-decided');
  expect((await gateOf(handle)).outcome).toBe('approved');
  await handle.signal('proceed');
  expect(await (handle.result() as Promise<GatedResult>)).toMatchObject({ outcome: 'approved' });
});

test('where a name is believed, a statement that does not hold is refused all the same', async () => {
  const handle = await start({ identity: 'declared' });
  const { decision } = await say(handle);
  expect((await send(handle, { ...decision, statement: 'not.a.statement' })).code).toBe('invalid-statement');
  await untouched(handle);
  const declared = await send(handle, decision);
  expect(declared.code).toBe('recorded');
  expect(declared.gate?.approvals[0]).not.toHaveProperty('verified');
});

test('a gate can want more, or less, than its environment', async () => {
  const strict = await start({ identity: 'declared' }, { identity: 'verified' });
  const { decision } = await say(strict);
  expect((await send(strict, decision)).code).toBe('identity-required');
  const lenient = await start({}, { identity: 'declared' });
  expect((await send(lenient, (await say(lenient)).decision)).code).toBe('recorded');
});

test('a history without statements has no verification', async () => {
  const handle = await start({ identity: 'declared' });
  await send(handle, (await say(handle)).decision);
  await handle.result();
  expect(await historyOf(handle)).not.toContain('verifyStatement');
});
