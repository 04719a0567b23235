import type { Command } from 'commander';
import type { AuditExportFlags, AuditSearchFlags } from '../commands/audit.ts';
import type { AuditVerifyFlags } from '../commands/audit-verify.ts';
import type { AddCommand } from '../program.ts';
import { positive } from './reading.ts';

/** `audit search | show | export | verify | schema`. */
export function addAuditCommands(program: Command, add: AddCommand): void {
  const audit = program
    .command('audit')
    .description('who did what, when, to what effect: searched, exported, verified');

  const search = add(audit, 'search', 'records of the audit, newest first; every condition must hold', [
    'audit search --who ana --since 24h',
    'audit search --system shop --environment production --kind decision --outcome wrong-role',
    'audit search --text "switchTraffic web" --until 2026-11-20T00:00:00Z --json',
  ]);
  search.command
    .option('--who <person>', 'who did it, by name as it was said')
    .option('--procedure <type>', 'deployRelease, restoreDatabase, changeControl, …')
    .option('--system <name>', 'of this system only')
    .option('--environment <name>', 'of this environment only')
    .option('--target <name>', 'a service, database/<name>, runbook/<name>, window/<name>')
    .option('--kind <kind>', 'started, decision, order, lease, effect, message, child, cancel-requested, reset, ended')
    .option('--outcome <outcome>', 'recorded, wrong-role, completed, released, terminated, …')
    .option('--text <words>', 'words anywhere in a record; the beginning of each is enough')
    .option('--since <time>', 'ISO 8601, or how long ago: 24h, 7d')
    .option('--until <time>', 'ISO 8601, or how long ago')
    .option('--limit <n>', 'at most so many', positive, 50);
  search.run<AuditSearchFlags>(async (context, _, flags) =>
    (await import('../commands/audit.ts')).searchAudit(context, flags),
  );

  const show = add(audit, 'show <id>', 'everything the audit has of one procedure; ID is a workflow id or a run id', [
    'audit show deploy/shop/production/web-v2',
  ]);
  show.run(async (context, [id]) => (await import('../commands/audit.ts')).showAudit(context, id!));

  const bring = add(
    audit,
    'export [system] [environment]',
    'bring what has ended into the audit; with --to, fetch the files',
    ['audit export', 'audit export shop production --to audit-2026-11'],
  );
  bring.command
    .option('--to <folder>', 'write segments and anchors there; files that are there already are left alone')
    .option('--full', 'look at everything the server still keeps, not only at what is new')
    .option('--timeout <seconds>', 'how long it may take', positive, 300);
  bring.run<AuditExportFlags>(async (context, places, flags) =>
    (await import('../commands/audit.ts')).exportAudit(context, places, flags),
  );

  const verify = add(
    audit,
    'verify <folder>',
    'check exported files, without any server; exit 1 names what was altered',
    [
      'audit verify audit-2026-11',
      'audit verify audit-2026-11 --anchors anchors-from-the-store',
      'audit verify audit-2026-11 --head shop/production:128:6f1d…',
    ],
  );
  verify.command
    .option('--anchors <folder>', 'take the anchors from there instead')
    .option('--head <system/environment:sequence:hash...>', 'heads that were noted elsewhere', []);
  verify.run<AuditVerifyFlags>(async (context, [folder], flags) =>
    (await import('../commands/audit-verify.ts')).verify(context, folder!, flags),
  );

  const schema = add(
    audit,
    'schema',
    "the SQL of the audit's tables, for psql as their owner; repeating it does no harm",
    ['audit schema --writer windlass_audit'],
  );
  schema.command.option('--writer <role>', 'the role that the workers log in as; it must exist', 'windlass_audit');
  schema.run<{ writer: string }>(async (context, _, { writer }) =>
    (await import('../commands/audit-verify.ts')).schema(context, writer),
  );
}
