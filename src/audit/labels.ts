/**
 * Fields of contracts that are names, references, choices, or the reason that a person gave to be shown. Whatever is not
 * here is in the audit by its digest only: parameters of runbooks and bodies of messages may hold anything.
 */
export const LABELS = [
  ...['system', 'environment', 'service', 'database', 'runbook', 'window', 'scope', 'image', 'version', 'backup'],
  ...[
    'requestedBy',
    'by',
    'reason',
    'gate',
    'decision',
    'breakGlass',
    'verb',
    'step',
    'severity',
    'alert',
    'state',
    'action',
  ],
  ...['mode', 'when', 'kind', 'priority', 'onBusy', 'onFailure', 'planOnly', 'preempt', 'token', 'sequence'],
] as const;

export type Labels = Record<string, string | number | boolean>;

const LONGEST = 300;

/** Those fields of a value that are labels, with texts cut at 300 characters; `unreadable` of one that was not decoded. */
export function labelsOf(value: unknown): Labels {
  const fields = fieldsOf(value);
  if (isUndecoded(fields)) return { unreadable: true };
  const labels: Labels = {};
  for (const name of LABELS) {
    const label = fields[name];
    if (typeof label === 'string' && label !== '') labels[name] = clean(label);
    if (typeof label === 'boolean' || (typeof label === 'number' && Number.isFinite(label))) labels[name] = label;
  }
  return labels;
}

/** A payload as readEvents leaves it when it is no JSON: bytes, or encrypted with a key that the worker does not have. */
const isUndecoded = (fields: Record<string, unknown>): boolean =>
  Object.keys(fields).length === 2 && typeof fields['encoding'] === 'string' && typeof fields['data'] === 'string';

export const fieldsOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

/** A text of others for one line: no control characters, no halves of characters, not endless. */
export function clean(text: string, longest = LONGEST): string {
  // eslint-disable-next-line no-control-regex
  return text.slice(0, longest).replace(/[\u0000-\u001f\u007f]|\p{Surrogate}/gu, ' ');
}

/** A text of others, or what stands for it when there is none. */
export const textOf = (value: unknown, otherwise = 'unknown'): string =>
  typeof value === 'string' && value !== '' ? clean(value) : otherwise;

/** A text that is a name: `Refused`, `rolled-back`. Anything else is none. */
export const nameOf = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w.:/-]{1,100}$/.test(value) ? value : undefined;

/** What is kept in the object store, wherever a value refers to it. */
export function evidenceIn(value: unknown, depth = 6): { uri: string; sha256: string }[] {
  if (depth === 0 || typeof value !== 'object' || value === null) return [];
  const { uri, sha256 } = fieldsOf(value);
  if (
    typeof uri === 'string' &&
    typeof sha256 === 'string' &&
    /^s3:\/\/[!-~]{1,1024}$/.test(uri) &&
    /^[0-9a-f]{64}$/.test(sha256)
  )
    return [{ uri, sha256 }];
  return Object.values(value).flatMap((each) => evidenceIn(each, depth - 1));
}
