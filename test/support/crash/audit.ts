import { createReadStream, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { normalize } from './calls.ts';

/** An entry of the API server's audit log (audit.k8s.io/v1), as far as effects need it. */
export interface AuditEntry {
  verb: string;
  user: { username: string };
  requestURI: string;
  objectRef: { resource: string; namespace: string; name?: string; subresource?: string };
  responseStatus: { code: number };
  requestObject?: unknown;
  requestReceivedTimestamp: string;
}

const WORKER = 'system:serviceaccount:windlass:windlass-worker';

/** Where the log ends now: later entries are read from here. */
export const auditPosition = (file: string): number => statSync(file).size;

/**
 * What the worker asked to change in a namespace since then, dry runs left out; the answer may have been a refusal.
 * @param user whose changes; default: those of the undivided worker
 */
export async function readAudit(file: string, from: number, namespace: string, user = WORKER): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  const mark = `"namespace":"${namespace}"`;
  for await (const line of createInterface({ input: createReadStream(file, { start: from }) })) {
    if (!line.includes(mark) || !line.includes(user)) continue;
    const entry = JSON.parse(line) as AuditEntry;
    if (entry.objectRef.namespace !== namespace || entry.user.username !== user) continue;
    if (!entry.requestURI.includes('dryRun=All')) entries.push(entry);
  }
  return entries;
}

/**
 * The state-changing effects among them, in the words in which they are compared: `patch services/shop [{"op":…}]`.
 * What was created is compared by name here and in full by the final state.
 */
export function effectsOf(entries: AuditEntry[], namespace: string): string[] {
  return entries
    .filter(({ responseStatus }) => responseStatus.code >= 200 && responseStatus.code < 300)
    .map(({ verb, objectRef, requestObject }) => {
      const { resource, name, subresource } = objectRef;
      const created = (requestObject as { metadata?: { name?: string } } | undefined)?.metadata?.name;
      const what = [resource, name ?? created, subresource].filter(Boolean).join('/');
      return normalize(`${verb} ${what}${verb === 'patch' ? ` ${changeOf(requestObject)}` : ''}`, namespace);
    });
}

/** A JSON Patch without its tests, which guard and change nothing; other patches whole. */
function changeOf(patch: unknown): string {
  const changes = Array.isArray(patch) ? patch.filter((each: { op?: string }) => each.op !== 'test') : patch;
  return JSON.stringify(changes);
}
