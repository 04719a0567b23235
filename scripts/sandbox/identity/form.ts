import type { IncomingMessage } from 'node:http';

const MOST_BYTES = 10_000;

/** What a form sends. */
export async function urlencoded(request: IncomingMessage): Promise<URLSearchParams> {
  let body = '';
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > MOST_BYTES) break;
  }
  return new URLSearchParams(body);
}
