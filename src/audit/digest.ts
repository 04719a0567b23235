import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** JSON of which there is exactly one for each value (RFC 8785). @throws Error for what JSON does not know */
export function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('expected a value that JSON knows, got undefined');
  return text;
}

/** SHA-256 of the UTF-8 bytes of a text, hexadecimal. */
export const sha256Of = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** SHA-256 of a value as canonical JSON; nothing at all counts as null. Whatever came as JSON has a digest. */
export function digestOf(value: unknown): string {
  try {
    return sha256Of(canonical(value ?? null));
  } catch {
    return sha256Of(plain(value));
  }
}

/** For what JSON can carry and RFC 8785 refuses: halves of characters, numbers out of range, a million brackets. */
function plain(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return 'no digest';
  }
}
