import { schemaStatements } from '../../audit/schema.ts';
import { verifyAudit, type TrustedHead } from '../../audit/verify.ts';
import { readAuditFolder } from '../audit-files.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT, type ExitCode } from '../errors.ts';
import { renderVerification } from '../render/audit.ts';

export interface AuditVerifyFlags {
  anchors?: string;
  head: string[];
}

/** `audit verify FOLDER`: from files alone. Exit 1 when anything is not as it was written. @throws CliError `usage`, `not-found` */
export async function verify({ out }: Context, folder: string, flags: AuditVerifyFlags): Promise<ExitCode> {
  const heads = flags.head.map(parseHead);
  const files = await readAuditFolder(folder);
  const anchors = flags.anchors === undefined ? files.anchors : (await readAuditFolder(flags.anchors)).anchors;
  if (files.segments.length === 0 && heads.length === 0)
    throw new CliError(
      'not-found',
      `There is no segment below ${folder}: expected <system>/<environment>/segments/00000001.jsonl.`,
      'Fetch them: windlass audit export --to FOLDER',
    );
  const { chains, findings } = verifyAudit(files.segments, anchors, heads);
  const result = { ok: findings.length === 0, chains, findings, ignored: files.ignored };
  out.result(result, () => renderVerification(result, out.paint));
  return result.ok ? EXIT.ok : EXIT.failed;
}

function parseHead(text: string): TrustedHead {
  const [, system, environment, sequence, hash] = /^([a-z0-9-]+)\/([a-z0-9-]+):(\d+):([0-9a-f]{64})$/.exec(text) ?? [];
  if (!system || !environment || !sequence || !hash)
    throw new CliError(
      'usage',
      `--head ${text} is none: expected SYSTEM/ENVIRONMENT:SEQUENCE:HASH, as verify prints it.`,
    );
  return { system, environment, sequence: Number(sequence), hash };
}

/** `audit schema`: SQL as one transaction. */
export async function schema({ out }: Context, writer: string): Promise<ExitCode> {
  const statements = ['BEGIN', ...schemaStatements(writer), 'COMMIT'];
  out.result({ statements }, () => statements.map((each) => `${each};`).join('\n'));
  return EXIT.ok;
}
