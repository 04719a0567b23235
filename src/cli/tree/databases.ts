import type { Command } from 'commander';
import type { DatabaseFlags } from '../commands/databases.ts';
import type { WaitFlags } from '../commands/release.ts';
import type { AddCommand, CommandBuilder } from '../program.ts';
import { timeout, withWaitFlags } from './releases.ts';

const PLACES = '[system] [environment] [database]';
const load = () => import('../commands/databases.ts');

/** `backup`, `verify-backup`, `restore` and their plans. */
export function addDatabaseCommands(program: Command, plan: Command, add: AddCommand): void {
  const planBackup = withPlaces(
    add(plan, `backup ${PLACES}`, 'show what a backup would read and keep', ['plan backup shop production orders']),
  );
  planBackup.command.addOption(timeout());
  planBackup.run<DatabaseFlags & { timeout: number }>(async (context, places, flags) =>
    (await load()).planBackUp(context, places, flags),
  );
  const planRestore = withRestoreFlags(
    add(plan, `restore ${PLACES}`, 'show what a restore would replace, stop and lose; exit 1 when it is refused', [
      'plan restore shop production orders --reason "table orders was dropped"',
    ]),
  );
  planRestore.command.addOption(timeout());
  planRestore.run<DatabaseFlags & { timeout: number }>(async (context, places, flags) =>
    (await load()).planRestore(context, places, flags),
  );

  const backup = withWaitFlags(
    withPlaces(
      add(program, `backup ${PLACES}`, 'dump a database, compressed and encrypted, into its store', [
        'backup shop production orders --follow',
      ]),
    ),
  );
  backup.command.option('--reason <text>', 'why; shown to everyone');
  backup.run<DatabaseFlags & WaitFlags>(async (context, places, flags) =>
    (await load()).backUp(context, places, flags),
  );

  const verify = withWaitFlags(
    withPlaces(
      add(program, `verify-backup ${PLACES}`, 'restore a backup into a scratch database, check and compare it', [
        'verify-backup shop production orders --wait',
        'verify-backup shop production orders --backup 20261125T020000Z-1f3870be',
      ]),
    ),
  );
  verify.command.option('--backup <id>', 'which one (default: the newest)');
  verify.run<DatabaseFlags & WaitFlags>(async (context, places, flags) =>
    (await load()).verify(context, places, flags),
  );

  const restore = withWaitFlags(
    withRestoreFlags(
      add(program, `restore ${PLACES}`, 'replace a damaged database by a backup, after an approval', [
        'restore shop production orders --reason "table orders was dropped"',
        'restore shop production orders --backup 20261125T020000Z-1f3870be --reason "bad migration" --follow',
      ]),
    ),
  );
  restore.run<DatabaseFlags & WaitFlags>(async (context, places, flags) =>
    (await load()).restore(context, places, flags),
  );
}

function withRestoreFlags(builder: CommandBuilder): CommandBuilder {
  withPlaces(builder)
    .command.option('--backup <id>', 'which one (default: the newest)')
    .requiredOption('--reason <text>', 'why; shown to everyone')
    .option('--queue', 'wait behind another procedure on what it changes, instead of being refused');
  return builder;
}

function withPlaces(builder: CommandBuilder): CommandBuilder {
  builder.command
    .option('--system <name>', 'system, as in systems/<name>.yaml')
    .option('--environment <name>', 'environment of the system')
    .option('--database <name>', 'database of the system');
  return builder;
}
