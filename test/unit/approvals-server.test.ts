import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { gateId, readGateId } from '../../src/contracts/gate-id.ts';
import type { DecisionCode } from '../../src/contracts/gates.ts';
import { addressOf } from '../../src/server/approvals/limits.ts';
import { STATUS_OF } from '../../src/server/approvals/statuses.ts';
import { Refusal } from '../../src/server/requests.ts';
import {
  GATE,
  ID,
  openApprovals,
  ORIGIN,
  sightOf,
  SLACK_SECRET,
  type ApprovalStage,
} from '../support/approval-stage.ts';

const HTML = { accept: 'text/html,application/xhtml+xml' };
const BEARER = { authorization: 'Bearer good-token', 'content-type': 'application/json' };
const APPROVE = { decision: 'approve', code: GATE.code };
const FORM = { ...HTML, 'content-type': 'application/x-www-form-urlencoded', origin: ORIGIN };

let stage: ApprovalStage | undefined;
const open = async (...given: Parameters<typeof openApprovals>): Promise<ApprovalStage> =>
  (stage = await openApprovals(...given));
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});
const json = (text: string): unknown => JSON.parse(text);
const decideBy = (headers: Record<string, string>, body: unknown = APPROVE, id = ID) =>
  stage!.ask(`/gates/${id}/decisions`, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) }); // prettier-ignore
const csrfOf = (page: string): string => /name="csrf" value="([^"]+)"/.exec(page)![1]!;

describe('ids of gates', () => {
  test.each([
    { workflowId: 'deploy/sandbox/local/shop-v2', gate: 'security' },
    { workflowId: "kim's friday release ✓ \u202e", gate: 'a', runId: '6a1e6a4e-0000-4000-8000-000000000001' },
    { workflowId: 'x'.repeat(1000), gate: 'y'.repeat(64) },
  ])('name a gate of any workflow, in characters of an address', (reference) => {
    expect(gateId(reference)).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(readGateId(gateId(reference))).toEqual(reference);
  });

  test.each(['', '*', 'e30', '////', Buffer.from('["a"]').toString('base64url'), Buffer.from('["a","b","c"]').toString('base64url')])('that are none name nothing: %s', (id) => {
    expect(readGateId(id)).toBeUndefined();
  }); // prettier-ignore
});

describe('a program', () => {
  test('decides with its token, and gets the typed answer', async () => {
    const { decided } = await open();
    const answer = await decideBy(BEARER, { ...APPROVE, reason: 'scanned', fields: { ticket: 'C-1' } });
    expect([answer.status, json(answer.text)]).toEqual([200, expect.objectContaining({ code: 'recorded' })]);
    expect(decided).toEqual([{ id: ID, said: { ...APPROVE, reason: 'scanned', fields: { ticket: 'C-1' } }, by: 'good-token' }]); // prettier-ignore
  });

  test.each(Object.entries(STATUS_OF) as [DecisionCode, number][])(
    'is answered %s by HTTP %i',
    async (code, status) => {
      const { answerWith } = await open();
      answerWith({ code, message: 'because' });
      const answer = await decideBy(BEARER);
      expect([answer.status, json(answer.text)]).toEqual([status, { code, message: 'because' }]);
    },
  );

  test.each<[string, Record<string, string>, unknown, string, number]>([
    ['without a token', { 'content-type': 'application/json' }, APPROVE, ID, 401],
    ['with a wrong token', { ...BEARER, authorization: 'Bearer bad' }, APPROVE, ID, 401],
    ['with no bearer token', { ...BEARER, authorization: 'Basic Z29vZDpnb29k' }, APPROVE, ID, 401],
    ['with a cookie that somebody made up', { 'content-type': 'application/json', cookie: 'windlass_session=e30' }, APPROVE, ID, 401],
    ['of a gate that is not there', BEARER, APPROVE, 'WyJhIiwiYiJd', 404],
    ['of an id that is none', BEARER, APPROVE, 'x', 404],
    ['that is no JSON', BEARER, '{', ID, 400],
    ['without a code', BEARER, { decision: 'approve' }, ID, 400],
    ['of another kind', BEARER, { ...APPROVE, decision: 'maybe' }, ID, 400],
    ['in the name of somebody else', BEARER, { ...APPROVE, by: 'bea' }, ID, 400],
    ['with a statement of its own', BEARER, { ...APPROVE, statement: 'x' }, ID, 400],
    ['that breaks the glass to reject', BEARER, { ...APPROVE, decision: 'reject', breakGlass: true }, ID, 400],
    ['as another type', { ...BEARER, 'content-type': 'text/plain' }, APPROVE, ID, 415],
    ['that is too long', BEARER, { ...APPROVE, reason: 'x'.repeat(300_000) }, ID, 413],
  ])('decides nothing %s', async (_, headers, body, id, status) => {
    const { decided, logged } = await open();
    const answer = await decideBy(headers, body, id);
    expect([answer.status, Object.keys(json(answer.text) as object)]).toEqual([status, ['error']]);
    expect(decided).toEqual([]);
    expect(logged()).not.toMatch(/Bearer|good-token/);
  }); // prettier-ignore

  test('reads gates as JSON', async () => {
    const { ask } = await open();
    const list = await ask('/gates', { headers: BEARER });
    expect(json(list.text)).toMatchObject({ gates: [{ id: ID, gate: { name: 'security' } }], unseen: [] });
    const one = await ask(`/gates/${ID}`, { headers: BEARER });
    expect(json(one.text)).toMatchObject({ id: ID, me: 'ana', gate: { code: 'run-plan' }, may: { approve: true } });
  });

  test('hears that no worker answers, and what to do', async () => {
    const { answerWith } = await open();
    answerWith(new Refusal(503, 'No worker answers. Start one.'));
    const answer = await decideBy(BEARER);
    expect([answer.status, json(answer.text)]).toEqual([503, { error: 'No worker answers. Start one.' }]);
  });

  test('hears nothing of what goes wrong inside', async () => {
    const { answerWith, logged } = await open();
    answerWith(new TypeError('secret-canary is not a function'));
    const answer = await decideBy(BEARER);
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('canary');
    expect(logged()).toContain('canary');
  });
});

describe('a browser', () => {
  const form = (cookie: string, body: Record<string, string>, over: Record<string, string> = {}) =>
    decideBy({ ...FORM, cookie, ...over }, new URLSearchParams(body).toString());

  test('is shown where to sign in, and comes back to the gate', async () => {
    const { ask } = await open();
    const page = await ask(`/gates/${ID}`, { headers: HTML });
    expect(page.status).toBe(401);
    expect(page.text).toContain(`/login?to=%2Fgates%2F${ID}`);
    const begun = await ask(`/login?to=/gates/${ID}`);
    expect([begun.status, begun.headers.get('location')]).toEqual([303, 'https://id.example.com/authorize?state=s1']);
    const [cookie] = begun.headers.getSetCookie();
    expect(cookie).toMatch(/HttpOnly; SameSite=Lax$/);
    const back = await ask('/login/callback?code=c&state=s1', { headers: { cookie: cookie!.split(';', 1)[0]! } });
    expect([back.status, back.headers.get('location')]).toEqual([303, `/gates/${ID}`]);
  });

  test('keeps its session in a cookie of one hour that only we read', async () => {
    const { ask } = await open({ origin: 'https://approvals.example.com' });
    const begun = await ask('/login');
    const cookie = begun.headers.getSetCookie()[0]!.split(';', 1)[0]!;
    const back = await ask('/login/callback?code=c&state=s1', { headers: { cookie } });
    const session = back.headers.getSetCookie().find((each) => each.startsWith('__Host-windlass_session='));
    expect(session).toMatch(/; Max-Age=3600; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    expect(Buffer.from(session!.split('.')[3]!, 'base64url').toString()).not.toContain('good-ana');
  });

  test.each([
    ['a sign-in that this browser did not begin', false, 'state=s1', 400],
    ['another state', true, 'state=s2', 403],
    ['no state', true, '', 403],
  ])('is not signed in by %s', async (_, own, query, status) => {
    const { ask } = await open();
    const cookie = own ? (await ask('/login')).headers.getSetCookie()[0]!.split(';', 1)[0]! : '';
    const back = await ask(`/login/callback?code=c&${query}`, { headers: { cookie } });
    expect(back.status).toBe(status);
    expect(back.headers.getSetCookie().join()).not.toContain('windlass_session');
  });

  test.each(['//evil.example.com', 'https://evil.example.com', '/gates/../logout', '/login'])('is sent nowhere else after that: %s', async (to) => {
    const { ask } = await open();
    const begun = await ask(`/login?to=${encodeURIComponent(to)}`);
    const back = await ask('/login/callback?code=c&state=s1', { headers: { cookie: begun.headers.getSetCookie()[0]!.split(';', 1)[0]! } });
    expect(back.headers.get('location')).toBe('/gates');
  }); // prettier-ignore

  test('decides by the form, and loading the page again sends nothing again', async () => {
    const { ask, signIn, decided } = await open();
    const cookie = await signIn();
    const page = await ask(`/gates/${ID}`, { headers: { ...HTML, cookie } });
    const answer = await form(cookie, { csrf: csrfOf(page.text), code: GATE.code, decision: 'approve', reason: ' read ', 'field:ticket': 'C-1', 'field:empty': '' }); // prettier-ignore
    expect(answer.status).toBe(303);
    expect(decided).toEqual([{ id: ID, said: { ...APPROVE, reason: 'read', fields: { ticket: 'C-1' } }, by: 'good-ana' }]); // prettier-ignore
    const after = await ask(answer.headers.get('location')!, { headers: { ...HTML, cookie } });
    expect(after.text).toContain('Gate security is approved.');
    const forged = await ask(`/gates/${ID}?note=Approved`, { headers: { ...HTML, cookie } });
    expect(forged.text).not.toContain('Recorded');
  });

  test('breaks the glass by its own button, and rejects without the form of an approval', async () => {
    const { ask, signIn, decided } = await open();
    const cookie = await signIn();
    const csrf = csrfOf((await ask(`/gates/${ID}`, { headers: { ...HTML, cookie } })).text);
    await form(cookie, { csrf, code: GATE.code, decision: 'break-glass', reason: 'checkout is down' });
    await form(cookie, { csrf, code: GATE.code, decision: 'reject', 'field:ticket': 'C-1' });
    expect(decided.map(({ said }) => said)).toEqual([
      { ...APPROVE, reason: 'checkout is down', breakGlass: true },
      { decision: 'reject', code: GATE.code },
    ]);
  });

  test('is shown why something does not count, with what it had filled in', async () => {
    const { ask, signIn, answerWith } = await open({ sight: sightOf({ comment: 'required' }) });
    const cookie = await signIn();
    const csrf = csrfOf((await ask(`/gates/${ID}`, { headers: { ...HTML, cookie } })).text);
    answerWith({ code: 'invalid-fields', message: 'Gate security: ticket is missing.' });
    const answer = await form(cookie, { csrf, code: GATE.code, decision: 'approve', reason: 'my long comment' });
    expect(answer.status).toBe(422);
    expect(answer.text).toMatch(/role="alert"[^]*ticket is missing[^]*my long comment/);
  });

  test.each<[string, Record<string, string>, (csrf: string) => string | undefined]>([
    ['another site', { origin: 'https://evil.example.com' }, (csrf) => csrf],
    ['a page without an origin', { origin: 'null' }, (csrf) => csrf],
    ['the same origin without the token', {}, () => undefined],
    ['the same origin with another token', {}, () => 'A'.repeat(43)],
    ['another site as JSON', { origin: 'https://evil.example.com', 'content-type': 'application/json' }, (csrf) => csrf], // prettier-ignore
  ])('is not made to decide by %s', async (_, over, token) => {
    const { ask, signIn, decided } = await open();
    const cookie = await signIn();
    const csrf = token(csrfOf((await ask(`/gates/${ID}`, { headers: { ...HTML, cookie } })).text));
    const answer = await form(cookie, { ...(csrf ? { csrf } : {}), code: GATE.code, decision: 'approve' }, over);
    expect(answer.status).toBe(403);
    expect(decided).toEqual([]);
  });

  test('is signed out by its own page only', async () => {
    const { ask, signIn } = await open();
    const cookie = await signIn();
    const csrf = csrfOf((await ask('/gates', { headers: { ...HTML, cookie } })).text);
    const out = (headers: Record<string, string>) =>
      ask('/logout', { method: 'POST', headers: { ...FORM, cookie, ...headers }, body: new URLSearchParams({ csrf }).toString() }); // prettier-ignore
    expect((await out({ origin: 'https://evil.example.com' })).status).toBe(403);
    const answer = await out({});
    expect([answer.status, answer.headers.getSetCookie()[0]]).toEqual([200, expect.stringContaining('windlass_session=; Max-Age=0')]); // prettier-ignore
  });
});

test('every answer forbids scripts, frames, storing and guessing of types', async () => {
  const { ask, signIn } = await open();
  const cookie = await signIn();
  for (const path of ['/gates', `/gates/${ID}`, '/gates/none', '/nothing', '/login/callback']) {
    const { headers } = await ask(path, { headers: { ...HTML, cookie } });
    const policy = headers.get('content-security-policy');
    for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"]) expect(policy).toContain(rule); // prettier-ignore
    expect(policy).not.toMatch(/unsafe|script-src/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('same-origin');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-frame-options')).toBe('DENY');
  }
});

test('hostile text stays text', async () => {
  const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>' onfocus=alert(3) javascript:alert(4) \${7*7}`;
  const vote = { by: evil, at: GATE.openedAt, reason: evil, fields: { [evil]: evil } };
  const sight = sightOf(
    {
      ...{ asks: evil, name: evil, roles: [evil], code: evil, approvals: [vote], decisions: [{ ...vote, decision: 'approve' }] }, // prettier-ignore
      form: { properties: { a: { type: 'string', enum: [evil], description: evil, minLength: 1, maxLength: 1000 }, b: { type: 'string', minLength: 1, maxLength: 9, description: evil } }, required: ['a'] }, // prettier-ignore
    },
    {
      me: { name: evil, granted: [] },
      run: { ...sightOf().run, workflowId: evil, summary: evil, requestedBy: evil, procedure: evil },
      progress: {
        ...{ procedure: evil, phase: 'waiting', step: evil, awaiting: [], lines: [`${evil} https://ok.example.com/a?b=c.`], startedAt: GATE.openedAt }, // prettier-ignore
        timeline: [{ at: GATE.openedAt, text: evil }],
        plan: {
          facts: [{ label: evil, text: evil }],
          changes: [{ verb: 'patch', kind: evil, name: evil, why: evil, diff: `+${evil}\n-${evil}` }],
          ...{ refusals: [], warnings: [evil], gates: [], blastRadius: evil, reversibility: evil, expectedDurationMs: 1, digest: evil }, // prettier-ignore
        },
      },
    },
  );
  const { ask, signIn, answerWith } = await open({ sight });
  const cookie = await signIn();
  const page = await ask(`/gates/${ID}`, { headers: { ...HTML, cookie } });
  answerWith({ code: 'wrong-role', message: evil });
  const body = new URLSearchParams({ csrf: csrfOf(page.text), code: 'x', decision: 'approve', reason: evil, 'field:b': evil }); // prettier-ignore
  const refused = await decideBy({ ...FORM, cookie }, body.toString());
  const list = await ask('/gates', { headers: { ...HTML, cookie } });
  for (const { text } of [page, refused, list]) {
    expect(text).toContain('&lt;script&gt;');
    expect(text).not.toMatch(/<script|<img|' onfocus|href="javascript/i);
  }
  expect(page.text).toContain('<a href="https://ok.example.com/a?b=c" rel="noreferrer">');
});

describe('limits', () => {
  const flood = (times: number, ask: () => Promise<{ status: number }>) =>
    Promise.all(Array.from({ length: times }, ask)).then((all) => all.map(({ status }) => status).sort());

  test('one address asks only so often, and hears when to ask again; another may', async () => {
    const { ask } = await open({ limits: { perAddress: 3 } });
    const from = (address: string) => ask('/gates', { headers: { ...BEARER, 'x-forwarded-for': address } });
    expect(await flood(5, () => from('192.0.2.1'))).toEqual([200, 200, 200, 429, 429]);
    expect(Number((await from('203.0.113.9, 192.0.2.1')).headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await from('192.0.2.2')).status).toBe(200);
  });

  test('one person decides only so often, from wherever', async () => {
    await open({ limits: { decisionsPerPerson: 2 } });
    let address = 0;
    const decide = () => decideBy({ ...BEARER, 'x-forwarded-for': `192.0.2.${++address}` });
    expect(await flood(4, decide)).toEqual([200, 200, 429, 429]);
    expect((await decideBy({ ...BEARER, authorization: 'Bearer good-other' })).status).toBe(200);
  });

  test('tokens are tried only so often: then a good one does not count either', async () => {
    await open({ limits: { failuresPerAddress: 2 } });
    const bad = () => decideBy({ ...BEARER, authorization: 'Bearer bad' });
    expect([(await bad()).status, (await bad()).status, (await bad()).status]).toEqual([401, 401, 429]);
    expect((await decideBy(BEARER)).status).toBe(429);
  });

  test.each<[string | undefined, string | undefined, number, string]>([
    ['192.0.2.1', undefined, 0, '192.0.2.1'],
    ['192.0.2.1', '203.0.113.9', 0, '192.0.2.1'],
    ['192.0.2.1', '198.51.100.7, 203.0.113.9', 1, '203.0.113.9'],
    ['192.0.2.1', '198.51.100.7, 203.0.113.9', 2, '198.51.100.7'],
    ['192.0.2.1', undefined, 1, '192.0.2.1'],
    ['::ffff:192.0.2.1', undefined, 0, '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', undefined, 0, '2001:db8:1:2::/64'],
    ['2001:db8::6', undefined, 0, '2001:db8:0:0::/64'],
    [undefined, undefined, 0, 'unknown'],
  ])('the address of %s behind %s through %i proxies is %s', (socket, forwarded, proxies, address) => {
    expect(addressOf(socket, forwarded, proxies)).toBe(address);
  });
});

describe('Slack', () => {
  const body = new URLSearchParams({
    payload: JSON.stringify({
      ...{ type: 'block_actions', user: { id: 'U1' }, team: { id: 'T1' }, response_url: 'https://hooks.slack.com/actions/T1/1/x' }, // prettier-ignore
      actions: [{ action_id: 'windlass.approve', block_id: 'gate:security', value: JSON.stringify({ gate: ID, code: GATE.code }) }], // prettier-ignore
    }),
  }).toString();
  const send = (secret = SLACK_SECRET, timestamp = String(Math.floor(Date.now() / 1000))) =>
    stage!.ask('/slack/interactions', {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-slack-request-timestamp': timestamp,
        'x-slack-signature': `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`,
      },
      body,
    });
  const answered = async () => {
    while (stage!.slackAnswers.length === 0) await sleep(5);
    return stage!.slackAnswers[0];
  };

  test('decides with a button, is acknowledged at once and answered at its own address', async () => {
    const { decided } = await open();
    expect(await send()).toMatchObject({ status: 200, text: '' });
    expect(await answered()).toEqual({
      url: 'https://hooks.slack.com/actions/T1/1/x',
      answer: { to: 'message', text: 'ana approved: Gate security is approved.', blocks: [] },
    });
    expect(decided).toEqual([{ id: ID, said: APPROVE, by: 'U1' }]);
  });

  test('the same request counts once', async () => {
    const { decided } = await open();
    const timestamp = String(Math.floor(Date.now() / 1000));
    expect([(await send(SLACK_SECRET, timestamp)).status, (await send(SLACK_SECRET, timestamp)).status]).toEqual([200, 409]); // prettier-ignore
    await answered();
    expect(decided).toHaveLength(1);
  });

  test('a request that Slack did not sign decides nothing', async () => {
    const { decided } = await open();
    expect((await send('other')).status).toBe(403);
    expect((await send(SLACK_SECRET, String(Math.floor(Date.now() / 1000) - 400))).status).toBe(403);
    expect(decided).toEqual([]);
  });

  test('who is asked for more is told where', async () => {
    const { answerWith } = await open();
    answerWith({ code: 'comment-required', message: 'Gate security needs a comment.' });
    await send();
    expect((await answered())!.answer).toEqual({ to: 'person', text: `Not counted: Gate security needs a comment. Decide it here: ${ORIGIN}/gates/${ID}` }); // prettier-ignore
  });

  test('without a signing secret there is nothing there', async () => {
    await open({ slack: undefined as never });
    expect((await send()).status).toBe(404);
  });
});
