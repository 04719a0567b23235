/** The shape of the tables; a worker that finds another one migrates or says so. */
export const SCHEMA_VERSION = 'windlass audit 1';

/** Held while the schema is made: two workers that start together make it once. */
export const SCHEMA_LOCK = 'windlass_audit schema';

const APPEND_ONLY = ['records', 'segments', 'seals', 'marks'];

/**
 * The audit's schema, statement by statement, in one transaction. Doing it twice is doing it once.
 *
 * Two walls keep records as they are: the writer has INSERT and SELECT only, and triggers refuse UPDATE, DELETE and
 * TRUNCATE to everyone, also under `session_replication_role = replica`. Who owns the tables can take both down; that
 * shows by the chain and its anchors.
 * @param writer the role that the workers log in as; it must exist
 */
export function schemaStatements(writer: string): string[] {
  const role = `"${writer.replaceAll('"', '""')}"`;
  return [
    `SELECT pg_advisory_xact_lock(hashtextextended('${SCHEMA_LOCK}', 0))`,
    'CREATE SCHEMA IF NOT EXISTS windlass_audit',
    `CREATE TABLE IF NOT EXISTS windlass_audit.segments (
  system text NOT NULL, environment text NOT NULL,
  number bigint NOT NULL CHECK (number > 0),
  first bigint NOT NULL, last bigint NOT NULL CHECK (last >= first),
  prev text NOT NULL, head text NOT NULL,
  run_id text NOT NULL UNIQUE, workflow_id text NOT NULL,
  anchor text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (system, environment, number)
)`,
    `CREATE TABLE IF NOT EXISTS windlass_audit.records (
  system text NOT NULL, environment text NOT NULL,
  sequence bigint NOT NULL CHECK (sequence > 0),
  at timestamptz NOT NULL,
  run_id text NOT NULL, event_id bigint NOT NULL,
  workflow_id text NOT NULL, procedure text NOT NULL, kind text NOT NULL,
  who text NOT NULL, target text, outcome text NOT NULL,
  line text NOT NULL,
  words tsvector NOT NULL,
  PRIMARY KEY (system, environment, sequence),
  UNIQUE (run_id, event_id)
)`,
    `CREATE TABLE IF NOT EXISTS windlass_audit.seals (
  system text NOT NULL, environment text NOT NULL, number bigint NOT NULL,
  segment_key text NOT NULL, segment_version text,
  anchor_key text NOT NULL, anchor_version text,
  retain_until timestamptz,
  sealed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (system, environment, number)
)`,
    'CREATE TABLE IF NOT EXISTS windlass_audit.marks (until timestamptz PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())',
    ...[
      ['records_at', 'btree (at DESC, system, environment, sequence)'],
      ['records_place', 'btree (system, environment, at DESC)'],
      ['records_who', 'btree (who, at DESC)'],
      ['records_procedure', 'btree (procedure, at DESC)'],
      ['records_target', 'btree (target, at DESC)'],
      ['records_kind', 'btree (kind, at DESC)'],
      ['records_outcome', 'btree (outcome, at DESC)'],
      ['records_workflow', 'btree (workflow_id)'],
      ['records_words', 'gin (words)'],
    ].map(([name, index]) => `CREATE INDEX IF NOT EXISTS ${name} ON windlass_audit.records USING ${index}`),
    `CREATE OR REPLACE FUNCTION windlass_audit.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'windlass_audit.% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$`,
    `CREATE OR REPLACE FUNCTION windlass_audit.continue_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE tip windlass_audit.segments%ROWTYPE;
BEGIN
  SELECT * INTO tip FROM windlass_audit.segments s
    WHERE s.system = NEW.system AND s.environment = NEW.environment ORDER BY s.number DESC LIMIT 1;
  IF NEW.number <> coalesce(tip.number, 0) + 1 OR NEW.first <> coalesce(tip.last, 0) + 1
     OR (tip.head IS NOT NULL AND NEW.prev <> tip.head) THEN
    RAISE EXCEPTION 'segment % does not continue the chain of % %', NEW.number, NEW.system, NEW.environment
      USING ERRCODE = 'serialization_failure';
  END IF;
  RETURN NEW;
END $$`,
    ...APPEND_ONLY.flatMap((table) => [
      `CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON windlass_audit.${table}
  FOR EACH STATEMENT EXECUTE FUNCTION windlass_audit.refuse()`,
      `ALTER TABLE windlass_audit.${table} ENABLE ALWAYS TRIGGER append_only`,
    ]),
    `CREATE OR REPLACE TRIGGER continue_chain BEFORE INSERT ON windlass_audit.segments
  FOR EACH ROW EXECUTE FUNCTION windlass_audit.continue_chain()`,
    'ALTER TABLE windlass_audit.segments ENABLE ALWAYS TRIGGER continue_chain',
    `REVOKE ALL ON ALL TABLES IN SCHEMA windlass_audit FROM PUBLIC, ${role}`,
    `GRANT USAGE ON SCHEMA windlass_audit TO ${role}`,
    `GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA windlass_audit TO ${role}`,
    `COMMENT ON SCHEMA windlass_audit IS '${SCHEMA_VERSION}'`,
  ];
}
