import { createHmac } from 'node:crypto';
import { faultOfSignature, createReplayGuard } from '../../src/server/approvals/slack/signature.ts';
import { readInteraction } from '../../src/server/approvals/slack/interaction.ts';

const SECRET = '8f742231b10e8888abcd99yyyzzz85a5';
const NOW = 1_531_420_618_000;
const sign = (timestamp: string, body: string, secret = SECRET) =>
  `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
const at = (seconds: number): string => String(NOW / 1000 + seconds);

test("Slack's own published example verifies", () => {
  const body =
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
  const signature = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';
  expect(faultOfSignature({ timestamp: '1531420618', signature, body }, SECRET, NOW)).toBeUndefined();
});

test.each<[string, { timestamp?: string; signature?: string; body?: string }, string | undefined]>([
  ['as it is', {}, undefined],
  ['four minutes old', { timestamp: at(-240) }, undefined],
  ['at the end of the window', { timestamp: at(-300) }, undefined],
  ['over five minutes old', { timestamp: at(-301) }, 'older than five minutes'],
  ['of the future', { timestamp: at(301) }, 'of the future'],
  ['with an altered body', { body: 'payload=other', signature: sign(at(0), 'payload=1') }, 'signature'],
  ['with another timestamp', { timestamp: at(-10), signature: sign(at(0), 'payload=1') }, 'signature'],
  ['with another secret', { signature: sign(at(0), 'payload=1', 'other') }, 'signature'],
  ['with another version', { signature: sign(at(0), 'payload=1').replace('v0', 'v1') }, 'signature'],
  ['cut short', { signature: sign(at(0), 'payload=1').slice(0, -1) }, 'signature'],
  ['with a timestamp that is none', { timestamp: '1531420618; DROP' }, 'timestamp'],
  ['with a negative timestamp', { timestamp: '-1' }, 'timestamp'],
])('a request %s', (_, given, fault) => {
  const { timestamp = at(0), body = 'payload=1' } = given;
  const signature = given.signature ?? sign(timestamp, body);
  const found = faultOfSignature({ timestamp, signature, body }, SECRET, NOW);
  if (fault === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(fault);
});

test('a request without its headers is not signed', () => {
  expect(faultOfSignature({ timestamp: undefined, signature: 'v0=1', body: '' }, SECRET, NOW)).toContain('not signed');
  expect(faultOfSignature({ timestamp: '1', signature: undefined, body: '' }, SECRET, NOW)).toContain('not signed');
});

test('a request counts once for as long as its signature would be good', () => {
  const guard = createReplayGuard();
  expect(guard.isRepeated('one', NOW)).toBe(false);
  expect(guard.isRepeated('other', NOW)).toBe(false);
  expect(guard.isRepeated('one', NOW + 599_000)).toBe(true);
  expect(guard.isRepeated('one', NOW + 600_000)).toBe(false);
});

const click = (over: object = {}, action: object = {}) => {
  const payload = {
    type: 'block_actions',
    user: { id: 'U2CERLKJA', username: 'ana' },
    team: { id: 'T1DC2JH3J', domain: 'testteamnow' },
    response_url: 'https://hooks.slack.com/actions/T1/1/secret',
    message: { text: 'Waiting', blocks: [{ type: 'section' }, { type: 'actions', block_id: 'gate:security' }] },
    actions: [
      {
        action_id: 'windlass.approve',
        block_id: 'gate:security',
        value: JSON.stringify({ gate: 'abc', code: 'c-1' }),
        type: 'button',
        ...action,
      },
    ],
    ...over,
  };
  return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
};

test('a click on a button is a decision of a user of a workspace', () => {
  expect(readInteraction(click())).toEqual({
    user: 'U2CERLKJA',
    team: 'T1DC2JH3J',
    responseUrl: 'https://hooks.slack.com/actions/T1/1/secret',
    decision: 'approve',
    gate: 'abc',
    code: 'c-1',
    message: { text: 'Waiting', blocks: [{ type: 'section' }] },
  });
  expect(readInteraction(click({}, { action_id: 'windlass.reject' }))).toMatchObject({ decision: 'reject' });
});

test.each([
  ['a link that was followed', click({}, { action_id: 'windlass.open' })],
  ['a button of another app', click({}, { action_id: 'other' })],
  ['another type of interaction', click({ type: 'view_submission' })],
  ['a value that is no decision', click({}, { value: '{"gate":"abc"}' })],
  ['a value that is no JSON', click({}, { value: 'abc' })],
  ['a user that is none', click({ user: { id: '../U1' } })],
  ['no payload', 'token=1'],
  ['no JSON', 'payload=%7B'],
])('%s decides nothing', (_, body) => {
  expect(readInteraction(body)).toBeUndefined();
});
