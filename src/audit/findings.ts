/** What can be wrong with a chain. */
export type FindingCode =
  | 'unreadable' // not JSON, or not what a record, a foot or an anchor has
  | 'not-canonical' // says the same, but is written otherwise
  | 'edited' // the content is not that of its hash
  | 'wrong-previous' // does not carry the hash of the record before
  | 'missing' // a sequence number is skipped
  | 'repeated' // a sequence number, or an event of a run, comes twice
  | 'out-of-order' // the record stands elsewhere than its sequence number says
  | 'foreign' // belongs to another chain
  | 'truncated' // the end is cut off
  | 'wrong-foot' // the last line says other than the lines before
  | 'trailing' // something after the last line
  | 'segment-missing'
  | 'segment-repeated'
  | 'misnamed' // the file has another name than its number
  | 'anchor-missing'
  | 'anchor-changed'
  | 'anchor-differs' // anchor and segment do not agree
  | 'head-differs'; // a head that was kept elsewhere is not in the chain

/** What is wrong, and where. */
export interface Finding {
  code: FindingCode;
  file: string;
  /** From 1. */
  line?: number;
  sequence?: number;
  /** What was expected and what came. */
  message: string;
}

export const short = (hash: string | undefined): string => hash?.slice(0, 12) ?? 'nothing';
