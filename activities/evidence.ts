import type { EvidenceInput, EvidenceRef } from '../src/contracts/evidence.ts';
import type { Dependencies } from './dependencies.ts';

export function createEvidenceActivities({ objects }: Pick<Dependencies, 'objects'>) {
  return {
    /** Stores a text outside the history. Effect: look-before-repeat, by its key and SHA-256. */
    async keepEvidence(evidence: EvidenceInput): Promise<EvidenceRef> {
      return objects.put(evidence);
    },
  };
}
