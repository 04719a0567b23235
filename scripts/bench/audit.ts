import { createReadStream, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { MARKS } from '../../src/domain/release/state.ts';

/** An entry of the API server's audit log (audit.k8s.io/v1), as far as a switch needs it. */
interface AuditEntry {
  verb: string;
  user: { username: string };
  requestURI: string;
  objectRef: { resource: string; namespace: string };
  responseStatus: { code: number };
  requestObject?: unknown;
  stageTimestamp: string;
}

const WORKER = 'system:serviceaccount:windlass:windlass-worker';
/** A JSON Pointer writes `/` as `~1` (RFC 6901). */
const RECORD = MARKS.releases.replace('/', '~1');

/** Where the log ends now: later entries are read from here. */
export const auditPosition = (file: string): number => statSync(file).size;

/**
 * When the API server had answered the worker's switches of a Service since then: patches that replace its selector and
 * record the release (narrowing and widening record none). Milliseconds since the epoch, in the order of the log; the
 * log has microseconds of the same machine's clock.
 */
export async function switchesSince(file: string, from: number, namespace: string): Promise<number[]> {
  const times: number[] = [];
  const mark = `"namespace":"${namespace}"`;
  for await (const line of createInterface({ input: createReadStream(file, { start: from }) })) {
    if (!line.includes(mark) || !line.includes(WORKER) || !line.includes('"verb":"patch"')) continue;
    const entry = JSON.parse(line) as AuditEntry;
    if (isSwitch(entry, namespace)) times.push(toEpoch(entry.stageTimestamp));
  }
  return times;
}

function isSwitch({ user, requestURI, objectRef, responseStatus, requestObject }: AuditEntry, namespace: string) {
  if (user.username !== WORKER || objectRef.namespace !== namespace || objectRef.resource !== 'services') return false;
  if (responseStatus.code !== 200 || requestURI.includes('dryRun=All') || !Array.isArray(requestObject)) return false;
  const replaces = requestObject.some(
    (each: { op?: string; path?: string }) => each.op === 'replace' && each.path === '/spec/selector',
  );
  const text = JSON.stringify(requestObject);
  return replaces && (text.includes(RECORD) || text.includes(MARKS.releases));
}

/** Keeps what is finer than a millisecond, which `Date` does not. */
function toEpoch(timestamp: string): number {
  const micros = /\.(\d{3})(\d{1,6})/.exec(timestamp)?.[2] ?? '';
  return Date.parse(timestamp) + Number(`0.${micros || 0}`);
}
