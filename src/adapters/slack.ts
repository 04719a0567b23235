import { postToChannel, type Notice, type NoticeGate } from './notice.ts';

/** Slack cuts a message's text near 40,000 characters; far less is readable. */
const LONGEST_TEXT = 3_000;
/** Of a button's value (docs.slack.dev/reference/block-kit/block-elements/button-element). */
const LONGEST_VALUE = 2_000;
/** Blocks of a message are 50: its text, its key, and a gate each. */
const MOST_GATES = 20;

/** Ids of the buttons, by which their use is known when it comes back. */
export const SLACK_ACTIONS = { approve: 'windlass.approve', reject: 'windlass.reject', open: 'windlass.open' } as const;

/**
 * Sends to a Slack incoming webhook (https://api.slack.com/messaging/webhooks), which has no idempotency key:
 * a repeated notice arrives twice and shows the same key. Gates get buttons: to their page, and to decide at once those
 * that ask for nothing but a yes.
 */
export async function sendToSlack(url: string, { text, key, gates = [] }: Notice): Promise<void> {
  const said = `${escapeMrkdwn(shorten(text))}\n\`${escapeMrkdwn(key)}\``;
  const blocks = gates.slice(0, MOST_GATES).flatMap(buttonsOf);
  const withButtons = { blocks: [{ type: 'section', text: mrkdwn(said.slice(0, LONGEST_TEXT)) }, ...blocks] };
  await postToChannel(url, { text: said, ...(blocks.length > 0 ? withButtons : {}) });
}

/** Answers what somebody did with a button, at the address that came with it: a secret for half an hour. */
export async function answerSlack(responseUrl: string, answer: SlackAnswer): Promise<void> {
  const { text, blocks = [], to } = answer;
  const said = escapeMrkdwn(shorten(text));
  await postToChannel(responseUrl, {
    text: said,
    ...(to === 'message'
      ? { replace_original: true, blocks: [...blocks, { type: 'context', elements: [mrkdwn(said)] }] }
      : { replace_original: false, response_type: to === 'channel' ? 'in_channel' : 'ephemeral' }),
  });
}

export interface SlackAnswer {
  text: string;
  /** To the person alone, to everybody in the channel, or under the message, which keeps only these `blocks`. */
  to: 'person' | 'channel' | 'message';
  blocks?: object[];
}

function buttonsOf(gate: NoticeGate): object[] {
  const value = JSON.stringify({ gate: gate.id, code: gate.code });
  const decides = gate.direct && value.length <= LONGEST_VALUE;
  const elements = [
    ...(decides
      ? [button('approve', gate, { value, style: 'primary', confirm: question(`Approve ${gate.name}?`) })]
      : []),
    ...(decides ? [button('reject', gate, { value, style: 'danger', confirm: question(`Reject ${gate.name}?`) })] : []),
    ...(gate.url ? [button('open', gate, { url: gate.url })] : []),
  ];
  return elements.length === 0 ? [] : [{ type: 'actions', block_id: `gate:${gate.name}`, elements }];
}

const LABEL = { approve: 'Approve', reject: 'Reject', open: 'Open' };

const button = (action: keyof typeof SLACK_ACTIONS, { name }: NoticeGate, more: object): object => ({
  type: 'button',
  action_id: SLACK_ACTIONS[action],
  // Its longest is 75 characters; names of gates have 63.
  text: { type: 'plain_text', text: `${LABEL[action]} ${name}`.slice(0, 75) },
  ...more,
});

const question = (title: string): object => ({
  title: { type: 'plain_text', text: title.slice(0, 100) },
  text: { type: 'plain_text', text: 'It counts at once, in your name.' },
  confirm: { type: 'plain_text', text: 'Yes' },
  deny: { type: 'plain_text', text: 'No' },
});

const mrkdwn = (text: string): object => ({ type: 'mrkdwn', text });

// The three characters that Slack's mrkdwn reserves; a version or a reason must not become a link or ping a channel.
const escapeMrkdwn = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const shorten = (text: string) => (text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text);
