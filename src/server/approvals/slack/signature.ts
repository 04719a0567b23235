import { createHmac } from 'node:crypto';
import { isSame } from '../../requests.ts';

/** Older requests are taken for repeated ones (docs.slack.dev/authentication/verifying-requests-from-slack). */
const WINDOW_SECONDS = 300;

export interface SignedRequest {
  /** `X-Slack-Request-Timestamp`: seconds since the epoch. */
  timestamp: string | undefined;
  /** `X-Slack-Signature`: `v0=` and the HMAC-SHA256 of `v0:timestamp:body` in hexadecimal. */
  signature: string | undefined;
  /** As it came, byte by byte. */
  body: string;
}

/** What is wrong with a request that claims to be Slack's; undefined when nothing is. */
export function faultOfSignature(
  { timestamp, signature, body }: SignedRequest,
  secret: string,
  now: number,
): string | undefined {
  if (timestamp === undefined || signature === undefined) return 'it is not signed';
  if (!/^\d{1,12}$/.test(timestamp)) return 'its timestamp is none';
  const expected = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
  // The signature first: what a stranger sends is not told about its time.
  if (!isSame(signature, expected)) return 'its signature does not verify';
  if (Math.abs(now / 1000 - Number(timestamp)) > WINDOW_SECONDS)
    return 'it is older than five minutes, or of the future';
  return undefined;
}

/**
 * Remembers requests for as long as their signature would be good. Only verified ones come here, so that nobody else can
 * fill it. Another process does not know them: there the gate itself answers that it is decided.
 */
export function createReplayGuard(): { isRepeated(signature: string, now: number): boolean } {
  const seen = new Map<string, number>();
  return {
    isRepeated(signature, now) {
      for (const [old, until] of seen) {
        if (until > now) break; // in the order of arrival
        seen.delete(old);
      }
      if (seen.has(signature)) return true;
      // A timestamp may lie as far in the future as in the past.
      seen.set(signature, now + 2 * WINDOW_SECONDS * 1000);
      return false;
    },
  };
}
