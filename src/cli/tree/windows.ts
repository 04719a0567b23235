import type { Command } from 'commander';
import type { WaitFlags } from '../commands/release.ts';
import type { ScheduleFlags } from '../commands/schedules.ts';
import type { WindowFlags } from '../commands/windows.ts';
import type { AddCommand, CommandBuilder } from '../program.ts';
import { timeout, withWaitFlags } from './releases.ts';

const PLACES = '[system] [environment] [window]';

/** `window start`, `plan window`, `schedules`. */
export function addWindowCommands(program: Command, plan: Command, add: AddCommand): void {
  const planWindow = withWindowFlags(
    add(plan, `window ${PLACES}`, 'show when a window opens and what it would do; exit 1 when it is closed', [
      'plan window shop production weekly',
      'plan window shop production weekly --now',
    ]),
  );
  planWindow.command.addOption(timeout());
  planWindow.run<WindowFlags & { timeout: number }>(async (context, places, flags) =>
    (await import('../commands/windows.ts')).planWindow(context, places, flags),
  );

  const window = program.command('window').description('maintenance windows of the catalog');
  const start = withWaitFlags(
    withWindowFlags(
      add(window, `start ${PLACES}`, "open a window at today's opening, or at once; returns at once", [
        'window start shop production weekly --follow',
        'window start shop production weekly --now --reason "security patch"',
      ]),
    ),
  );
  start.run<WindowFlags & WaitFlags>(async (context, places, flags) =>
    (await import('../commands/windows.ts')).startWindow(context, places, flags),
  );

  const schedules = program
    .command('schedules')
    .description('Temporal Schedules of the windows and error budgets of the catalog');
  const show = withCatalogFlags(
    add(schedules, 'plan', 'which Schedules would be created, updated, deleted', ['schedules plan --catalog systems']),
  );
  show.run<ScheduleFlags>(async (context, _, flags) =>
    (await import('../commands/schedules.ts')).planSchedules(context, flags),
  );
  const apply = withCatalogFlags(
    add(schedules, 'apply', 'make the Schedules those of the catalog', [
      'schedules apply --catalog systems --overlay production.yaml',
    ]),
  );
  apply.run<ScheduleFlags>(async (context, _, flags) =>
    (await import('../commands/schedules.ts')).apply(context, flags),
  );
}

function withWindowFlags(builder: CommandBuilder): CommandBuilder {
  builder.command
    .option('--system <name>', 'system, as in systems/<name>.yaml')
    .option('--environment <name>', 'environment of the system')
    .option('--window <name>', 'window of the system')
    .option('--now', 'open it at once, outside of the calendar')
    .option('--reason <text>', 'why; shown to everyone');
  return builder;
}

function withCatalogFlags(builder: CommandBuilder): CommandBuilder {
  builder.command
    .option('--catalog <directory>', 'directory of the catalog files', 'systems')
    .option('--overlay <file...>', 'overlays, as the worker reads them', []);
  return builder;
}
