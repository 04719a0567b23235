import {
  readAuditInput,
  type AuditListing,
  type AuditRecord,
  type AuditTexts,
  type ReadAuditInput,
} from '../src/contracts/audit.ts';
import { step } from './parts/activities.ts';
import { parseShape } from './parts/audit.ts';

/** Answers one question about the audit, for the command line, which has no access of its own. It changes nothing. */
export async function readAudit(
  raw: unknown,
): Promise<{ records: AuditRecord[]; more: boolean } | AuditListing | AuditTexts> {
  const input = parseShape<ReadAuditInput>('readAudit', readAuditInput, raw);
  const act = (summary: string) => step(summary, { changes: false });
  switch (input.ask) {
    case 'search':
      return act('Search the audit').searchAudit(input.query);
    case 'list':
      return act('List the objects of the audit').listAudit(input);
    case 'read':
      return act('Read objects of the audit').readAuditObjects(input);
  }
}
