/** Something kept in the object store because a history must not carry it: a log, a manifest, a report. */
export interface EvidenceRef {
  /** `s3://bucket/key`. */
  uri: string;
  /** SHA-256 of the body, hexadecimal. */
  sha256: string;
  bytes: number;
  contentType: string;
}

/** Input of the activity `keepEvidence`. */
export interface EvidenceInput {
  /** Where it goes, `deploy/sandbox/local/shop-v2/job.log`; the same key and body are stored once. */
  key: string;
  contentType: string;
  body: string;
}
