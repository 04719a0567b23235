import { postToChannel, type Notice } from './notice.ts';

/** Sends `{ source, text, key }` as JSON; the receiver deduplicates by `key`. */
export async function sendToWebhook(url: string, { text, key }: Notice): Promise<void> {
  await postToChannel(url, { source: 'windlass', text: `${text}\n${key}`, key });
}
