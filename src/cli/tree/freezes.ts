import type { Command } from 'commander';
import type { EndFlags, FreezeFlags, StartFlags } from '../commands/freezes.ts';
import type { AddCommand, CommandBuilder } from '../program.ts';

/** `freezes list`, `freezes show`, `freeze start`, `freeze end`. */
export function addFreezeCommands(program: Command, add: AddCommand): void {
  const freezes = program.command('freezes').description('when environments are closed to changes');
  withFlags(
    add(freezes, 'list [system] [environment]', 'which environments are open or closed, and until when', [
      'freezes list --catalog systems',
      'freezes list shop production --at 2026-12-24T18:00:00Z --json',
    ]),
  ).run<FreezeFlags>(async (context, places, flags) =>
    (await import('../commands/freezes.ts')).listFreezes(context, places, flags),
  );
  withFlags(
    add(freezes, 'show <system> <environment>', 'every freeze of an environment, those started by hand too', [
      'freezes show shop production',
    ]),
  ).run<FreezeFlags>(async (context, places, flags) =>
    (await import('../commands/freezes.ts')).showFreezes(context, places, flags),
  );

  const freeze = program.command('freeze').description('close an environment to changes by hand, and open it again');
  const start = add(freeze, 'start <system> <environment>', 'keep changes out from now on, until an end', [
    'freeze start shop production --until 2026-12-27T08:00:00Z --reason "the audit is here"',
    'freeze start shop production --until 4h --reason "the network is repaired" --name network',
  ]);
  start.command
    .requiredOption('--until <time>', 'when it ends by itself: a time with its zone, or how long, such as 4h')
    .requiredOption('--reason <text>', 'why; shown to whoever is refused')
    .option('--name <name>', 'name of the freeze; one of the same name is prolonged or shortened', 'by-hand')
    .option('--changes <kind...>', 'what it keeps out: deployment, maintenance; default: both');
  start.run<StartFlags>(async (context, places, flags) =>
    (await import('../commands/freezes.ts')).startFreeze(context, places, flags),
  );
  const end = add(freeze, 'end <system> <environment>', 'end a freeze that was started by hand', [
    'freeze end shop production --name network',
  ]);
  end.command
    .option('--name <name>', 'name of the freeze', 'by-hand')
    .option('--reason <text>', 'why it ends before its time');
  end.run<EndFlags>(async (context, places, flags) =>
    (await import('../commands/freezes.ts')).endFreeze(context, places, flags),
  );
}

function withFlags(builder: CommandBuilder): CommandBuilder {
  builder.command
    .option('--at <time>', 'at this time instead of now, such as 2026-12-24T18:00:00Z')
    .option('--catalog <directory>', 'directory of the catalog files', 'systems')
    .option('--overlay <file...>', 'overlays, as the worker reads them', []);
  return builder;
}
