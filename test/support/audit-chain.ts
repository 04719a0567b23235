import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { anchorKey, emptyHead, link, segmentKey, segmentText, type ChainHead } from '../../src/audit/chain.ts';
import { readEvents, type HistoryEvent } from '../../src/audit/history.ts';
import { normalize, type Normalized } from '../../src/audit/normalize.ts';
import type { AuditFile } from '../../src/audit/read-segment.ts';
import { isChange } from '../../activities/audit-effects.ts';
import { sha256Of } from '../../src/audit/digest.ts';
import type { AuditChain, AuditFact } from '../../src/contracts/audit.ts';

/** A history that was recorded on the sandbox, for the replay tests. */
export const recordedEvents = (name: string): HistoryEvent[] =>
  readEvents(JSON.parse(readFileSync(join(import.meta.dirname, `../replay/histories/${name}.json`), 'utf8')));

/** What the audit has of it. */
export const normalized = (name: string, events = recordedEvents(name)): Normalized =>
  normalize(events, { workflowId: `of/${name}`, runId: `run-of-${name}`, changes: isChange });

export interface Export {
  segments: AuditFile[];
  anchors: AuditFile[];
}

/** An export as it is written: a segment and an anchor for each run. */
export function exportOf(chain: AuditChain, runs: AuditFact[][]): Export {
  const made: Export = { segments: [], anchors: [] };
  let head: ChainHead = emptyHead(chain);
  for (const facts of runs) {
    const { lines, foot, anchorText } = link(chain, facts, head);
    made.segments.push({ file: segmentKey(chain, foot.segment), text: segmentText(lines, foot) });
    made.anchors.push({ file: anchorKey(chain, foot.segment), text: anchorText });
    head = { segment: foot.segment, sequence: foot.last, hash: foot.head, anchor: sha256Of(anchorText) };
  }
  return made;
}
