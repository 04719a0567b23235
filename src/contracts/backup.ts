/** Rows and content of one table, comparable between a database and its restored copy on the same PostgreSQL version. */
export interface TableDigest {
  /** `schema.table`. */
  table: string;
  rows: number;
  /** Sum of the 64-bit hashes of its rows as text: independent of their order; finds damage, not forgery. */
  digest: string;
}

/** What a backup is, stored beside it and after it: a backup without one does not exist. */
export interface BackupManifest {
  format: 1;
  /** `20261125T020000Z-1f3870be`: sorts by time. */
  id: string;
  system: string;
  environment: string;
  /** Name in the catalog. */
  database: string;
  engine: 'pg_dump';
  source: {
    /** Name in PostgreSQL. */
    name: string;
    systemIdentifier: string;
    serverVersion: string;
    bytes: number;
    encoding: string;
    collate: string;
    ctype: string;
  };
  /** ISO 8601: what was committed before is in it, nothing that came later. */
  snapshotAt: string;
  finishedAt: string;
  tables: TableDigest[];
  /** How long the stream took, and after it the digests of the tables. Milliseconds. */
  phases: { streamMs: number; digestMs: number };
  /** The stored object: the dump, compressed and encrypted. */
  object: { key: string; bytes: number; sha256: string };
  /** Names the key that it was encrypted with. */
  keyId: string;
}

/** The outcome of a test restore, stored beside the backup. Times in milliseconds. */
export interface BackupVerification {
  id: string;
  /** ISO 8601. */
  at: string;
  good: boolean;
  /** What is wrong, in words; empty when it is good. */
  faults: string[];
  phases: { restoreMs: number; amcheckMs: number; compareMs: number };
}

/** A backup as lists show it. */
export interface BackupSummary {
  id: string;
  snapshotAt: string;
  bytes: number;
  keyId: string;
  verified?: Pick<BackupVerification, 'at' | 'good'>;
}
