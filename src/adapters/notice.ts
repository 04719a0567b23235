import { setTimeout as sleep } from 'node:timers/promises';
import { redact } from './secrets.ts';

/** A message to people. */
export interface Notice {
  text: string;
  /** The same for every repetition of one notice: shown at its end, so that a duplicate is recognized as one. */
  key: string;
  /** What the message is about, when several tell its course: an alert that is resolved later, an incident on a status page. */
  subject?: NoticeSubject;
  /** Gates that it asks to decide, for a channel that can have buttons. */
  gates?: NoticeGate[];
}

/** A gate as a button needs it. */
export interface NoticeGate {
  name: string;
  /** As in addresses of the approval server. */
  id: string;
  code: string;
  /** Of its page; absent where there is no approval server. */
  url?: string;
  /** Whether a click may decide it: it asks for no comment and no form. */
  direct: boolean;
}

export interface NoticeSubject {
  /** The same in every message of its course. */
  id: string;
  title: string;
  state: 'open' | 'update' | 'resolved';
  severity: 'critical' | 'error' | 'warning' | 'info';
}

/** What became of a message, by channel. */
export interface NoticeOutcome {
  delivered: string[];
  failed: { channel: string; error: string }[];
}

const TIMEOUT_MS = 5_000;
const ATTEMPTS = 3;
/** A channel that asks for more patience than this is given up: the activity has a deadline, other channels the text. */
const LONGEST_WAIT_MS = 2_000;

/** Something that did not work. */
export interface Fault {
  words: string;
  /** Undefined when trying again would change nothing, or might do twice what happens once. */
  retryAfterMs?: number;
}

/** A request to a vendor of messages. */
export interface ChannelRequest {
  url: string;
  method?: 'GET' | 'POST' | 'PATCH';
  headers?: Record<string, string>;
  body?: object;
  /** What no error may name. */
  secrets: string[];
  /** A request of which the vendor knows a repetition (or that changes nothing) is repeated after a lost answer too. */
  repeatable?: boolean;
}

/**
 * Sends until it worked or there is no sense in trying again.
 * @returns what the attempt that worked returned
 * @throws Error in words, without the secrets, for the result of `notify`
 */
export async function attempt<T>(secrets: string[], send: (backoffMs: number) => Promise<T | Fault>): Promise<T> {
  for (let tried = 1; ; tried++) {
    const answer = await send(250 * 2 ** tried);
    if (!isFault(answer)) return answer;
    if (tried === ATTEMPTS || answer.retryAfterMs === undefined || answer.retryAfterMs > LONGEST_WAIT_MS) {
      throw new Error(redact(answer.words, secrets));
    }
    await sleep(answer.retryAfterMs);
  }
}

const isFault = (answer: unknown): answer is Fault =>
  typeof answer === 'object' && answer !== null && 'words' in answer;

/**
 * POSTs JSON to the address of a channel. What certainly did not arrive (no connection, 429, 5xx) is tried again, after
 * Retry-After where it is given; a timeout is not, because the text may be there already.
 * @param url a secret: whoever has it can write into the channel. No error names it.
 * @throws Error in words, for the result of `notify`
 */
export async function postToChannel(url: string, body: object): Promise<void> {
  await askChannel({ url, body, secrets: [url] });
}

/**
 * As `postToChannel`, for an API: returns the JSON of its answer, or undefined when it is no JSON.
 * @throws Error in words, for the result of `notify`
 */
export async function askChannel(request: ChannelRequest): Promise<unknown> {
  const text = await attempt(request.secrets, (backoffMs) => ask(request, backoffMs));
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

async function ask(request: ChannelRequest, backoffMs: number): Promise<string | Fault> {
  const { url, method = 'POST', headers = {}, body, repeatable = false } = request;
  if (!URL.canParse(url)) return { words: 'its secret is not a URL' };
  try {
    const response = await fetch(url, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
      redirect: 'manual', // Followed, it would carry the text to an address that nobody wrote into the catalog.
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = await response.text();
    if (response.ok) return answer;
    return {
      words: `expected HTTP 2xx, got ${response.status} ${answer.slice(0, 200)}`.trim(),
      // 420 is what Statuspage answers to too many requests.
      ...([420, 429].includes(response.status) || response.status >= 500
        ? { retryAfterMs: parseRetryAfter(response.headers.get('retry-after')) ?? backoffMs }
        : {}),
    };
  } catch (error) {
    return explain(error as Error & { cause?: { code?: string; message?: string } }, backoffMs, repeatable);
  }
}

function explain(
  error: Error & { cause?: { code?: string; message?: string } },
  backoffMs: number,
  repeatable: boolean,
): Fault {
  const again = { retryAfterMs: backoffMs };
  if (error.name === 'TimeoutError') {
    return { words: `no answer within ${TIMEOUT_MS / 1000} s`, ...(repeatable ? again : {}) };
  }
  const words = `could not be reached (${error.cause?.code ?? error.cause?.message ?? error.message})`;
  return error.cause?.code === 'ECONNREFUSED' || repeatable ? { words, ...again } : { words };
}

/** Milliseconds of a Retry-After header: seconds or an HTTP date (RFC 9110, 10.2.3). */
function parseRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** The first line of a message, for a vendor that wants a title of at most so many characters. */
export function titleOf({ text }: Pick<Notice, 'text'>, longest: number): string {
  const line = text.trim().split('\n', 1)[0]!;
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}
