import { createHmac, randomBytes } from 'node:crypto';

/**
 * Shows a literal as `hmac:` and twelve hexadecimal digits. Keyed, because the plain hash of a short secret is found by
 * trying; the key lives as long as the process, so that values can be compared within one plan and nowhere else.
 */
export function createDigester(key: Buffer = randomBytes(32)): (literal: string) => string {
  return (literal) => `hmac:${createHmac('sha256', key).update(literal).digest('hex').slice(0, 12)}`;
}
