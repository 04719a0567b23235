import { createHash } from 'node:crypto';
import type { ObjectStore } from '../../src/adapters/object-store.ts';
import type { EvidenceInput, EvidenceRef } from '../../src/contracts/evidence.ts';

/** An object store in memory, for tests that are about something else. @returns what was given to it, by key, too */
export function createKeptObjects(): { objects: ObjectStore; kept: Map<string, EvidenceInput> } {
  const kept = new Map<string, EvidenceInput>();
  const refOf = ({ key, contentType, body }: EvidenceInput): EvidenceRef => ({
    uri: `s3://test/${key}`,
    sha256: createHash('sha256').update(body).digest('hex'),
    bytes: Buffer.byteLength(body),
    contentType,
  });
  const objects: ObjectStore = {
    async put(evidence) {
      kept.set(evidence.key, evidence);
      return refOf(evidence);
    },
    find: () => Promise.resolve(undefined),
    async check() {},
  };
  return { objects, kept };
}
