import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** An answer that is not 2xx, with what was expected. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** The whole body as text. @throws Refusal 413 before more than `limit` bytes are kept */
export async function bodyOf(request: IncomingMessage, limit: number): Promise<string> {
  const tooLong = new Refusal(413, `expected at most ${limit} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLong;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limit) throw tooLong;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** @throws Refusal 400 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Refusal(400, 'expected JSON');
  }
}

/** In the same time whatever differs; digests because the lengths must be equal. */
export const isSame = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other));
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
