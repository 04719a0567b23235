import { hashOf } from '../../audit/chain.ts';
import { auditQuery, type AuditQuery, type AuditRecord } from '../../contracts/audit.ts';
import { parseDuration } from '../../domain/duration.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT, type ExitCode } from '../errors.ts';
import { hasAuditFile, writeAuditFile } from '../audit-files.ts';
import { renderRecords } from '../render/audit.ts';
import { askSearch, fetchObjects, listObjects, reconcile } from '../server/audit.ts';
import type { Session } from '../server/session.ts';
import { checkMessage } from '../start-input.ts';
import { given } from '../start-request.ts';

export interface AuditSearchFlags {
  who?: string;
  procedure?: string;
  system?: string;
  environment?: string;
  target?: string;
  kind?: string;
  outcome?: string;
  text?: string;
  since?: string;
  until?: string;
  limit: number;
}

/** `audit search`. @throws CliError `invalid-input`, `refused` when the audit is off */
export function searchAudit(context: Context, flags: AuditSearchFlags): Promise<ExitCode> {
  const { who, procedure, system, environment, target, kind, outcome, text, limit } = flags;
  const [since, until] = [flags.since, flags.until].map((each) => timeOf(each, Date.now()));
  const query = given({ who, procedure, system, environment, target, kind, outcome, text, since, until, limit });
  return search(context, checkMessage(auditQuery, 'The search', query));
}

/** `audit show ID`: in the order of the chain. @throws CliError `not-found` */
export const showAudit = (context: Context, id: string): Promise<ExitCode> =>
  search(context, checkMessage(auditQuery, 'The search', { id, order: 'chain', limit: 1000 }), () => {
    throw new CliError(
      'not-found',
      `The audit has nothing of ${id}.`,
      'While it runs: windlass show. Once it has ended: windlass audit export',
    );
  });

/** Records that are not what their hash says are marked, and fail the command. */
function search({ out, withSession }: Context, query: AuditQuery, ifEmpty?: () => never): Promise<ExitCode> {
  return withSession(async (session) => {
    const { records, more } = await askSearch(session, query);
    if (records.length === 0) ifEmpty?.();
    const altered = records.filter((record) => hashOf(record) !== record.hash).map(placeOf);
    out.result({ records, more, altered }, () => renderRecords(records, query.order, out.paint));
    if (more)
      out.note(`There are more than these ${records.length}; narrow the search, or raise --limit (1000 at most).`);
    for (const place of altered)
      out.note(
        `ALTERED in the database: ${place}. Compare with the sealed files: windlass audit export --to FOLDER, windlass audit verify FOLDER`,
      );
    return altered.length > 0 ? EXIT.failed : EXIT.ok;
  });
}

const placeOf = ({ system, environment, sequence }: AuditRecord): string =>
  `${system} ${environment} sequence ${sequence}`;

/** ISO 8601 of a time or of how long ago it was. @throws CliError `usage` */
function timeOf(text: string | undefined, now: number): string | undefined {
  if (text === undefined) return undefined;
  const ago = parseDuration(text);
  const at = ago === undefined ? Date.parse(text) : now - ago;
  if (Number.isNaN(at))
    throw new CliError(
      'usage',
      `${text} is no time: expected ISO 8601, such as 2026-11-20T08:00:00Z, or how long ago, such as 24h.`,
    );
  return new Date(at).toISOString();
}

export interface AuditExportFlags {
  to?: string;
  full?: boolean;
  timeout: number;
}

/** `audit export`: brings what has ended into the audit, and fetches the files. @throws CliError `failed`, `refused`, `timeout` */
export function exportAudit(
  { out, withSession }: Context,
  places: (string | undefined)[],
  flags: AuditExportFlags,
): Promise<ExitCode> {
  const [system, environment] = places;
  const place = given({ system, environment });
  return withSession(async (session) => {
    const done = await reconcile(session, { ...place, full: flags.full ?? false }, flags.timeout * 1000);
    const files = flags.to === undefined ? undefined : await fetchTo(session, flags.to, place);
    out.result({ ...done, ...(files ? { folder: flags.to, files } : {}) }, () =>
      [
        `${done.exported} procedures came into the audit, with ${done.records} records; ${done.sealed} segments were sealed.`,
        ...(files
          ? [
              `${files.written} files were written to ${flags.to}, ${files.there} were there.`,
              `Check them anywhere: windlass audit verify ${flags.to}`,
            ]
          : []),
      ].join('\n'),
    );
    return EXIT.ok;
  });
}

async function fetchTo(session: Session, folder: string, place: { system?: string; environment?: string }) {
  const files = { written: 0, there: 0 };
  for await (const objects of listObjects(session, place)) {
    const missing = objects.filter(({ file }) => !hasAuditFile(folder, file));
    files.there += objects.length - missing.length;
    for await (const file of fetchObjects(session, missing)) {
      await writeAuditFile(folder, file);
      files.written++;
    }
  }
  return files;
}
