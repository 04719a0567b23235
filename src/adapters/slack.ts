import { postToChannel, type Notice } from './notice.ts';

/** Slack cuts a message's text near 40,000 characters; far less is readable. */
const LONGEST_TEXT = 3_000;

/**
 * Sends to a Slack incoming webhook (https://api.slack.com/messaging/webhooks), which has no idempotency key:
 * a repeated notice arrives twice and shows the same key.
 */
export async function sendToSlack(url: string, { text, key }: Notice): Promise<void> {
  await postToChannel(url, { text: `${escape(shorten(text))}\n\`${escape(key)}\`` });
}

// The three characters that Slack's mrkdwn reserves; a version or a reason must not become a link or ping a channel.
const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const shorten = (text: string) => (text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text);
