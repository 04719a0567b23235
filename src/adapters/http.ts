import { failure } from './failure.ts';

export interface HttpRequest {
  /** http or https. */
  url: string;
  timeoutMs: number;
  /** The body is read so far and no further. @default 64 KiB */
  maxBytes?: number;
}

export interface HttpAnswer {
  status: number;
  /** As much of it as `maxBytes` allows. */
  text: string;
  /** Until the end of what was read. */
  milliseconds: number;
}

const MAX_BYTES = 64 * 1024;

/**
 * GET, once. A redirect is an answer and is not followed: it would lead to an address that nobody wrote into the catalog.
 * @throws InvalidInput when the address is no http(s) URL, Unavailable when there is no answer
 */
export async function getHttp({ url, timeoutMs, maxBytes = MAX_BYTES }: HttpRequest): Promise<HttpAnswer> {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
    throw failure('InvalidInput', `expected an http or https URL, got ${url}`);
  const { host } = new URL(url);
  const started = performance.now();
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
    const text = await readSome(response.body, maxBytes);
    return { status: response.status, text, milliseconds: Math.round(performance.now() - started) };
  } catch (error) {
    const { name, message, cause } = error as Error & { cause?: Error & { code?: string } };
    const why =
      name === 'TimeoutError' ? `no answer within ${timeoutMs} ms` : (cause?.code ?? cause?.message ?? message);
    throw failure('Unavailable', `${host} does not answer: ${why}`);
  }
}

async function readSome(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= maxBytes) break; // Leaving the loop closes the connection.
  }
  return Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8');
}
