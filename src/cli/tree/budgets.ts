import type { Command } from 'commander';
import type { BudgetFlags } from '../commands/zones.ts';
import type { WaitFlags } from '../commands/release.ts';
import type { AddCommand, CommandBuilder } from '../program.ts';
import { timeout, withWaitFlags } from './releases.ts';

const PLACE = '[system] [environment]';
const load = () => import('../commands/zones.ts');

/** `zones`, `budget measure`, `plan budget`. */
export function addBudgetCommands(program: Command, plan: Command, add: AddCommand): void {
  add(program, `zones ${PLACE}`, 'zone of each error budget, what is left, what it stops and what lifts it', [
    'zones',
    'zones shop production --json',
  ]).run(async (context, places) => (await load()).zones(context, places));

  const budget = program.command('budget').description('error budgets of the catalog');
  withWaitFlags(
    withPlace(
      add(budget, `measure ${PLACE}`, 'measure now, and do what follows from the zone; returns at once', [
        'budget measure shop production --follow',
      ]),
    ),
  ).run<BudgetFlags & WaitFlags>(async (context, places, flags) =>
    (await load()).measureBudget(context, places, flags),
  );

  const planned = withPlace(
    add(plan, `budget ${PLACE}`, 'measure now, and show what would follow; touches nothing', [
      'plan budget shop production',
    ]),
  );
  planned.command.addOption(timeout());
  planned.run<BudgetFlags & { timeout: number }>(async (context, places, flags) =>
    (await load()).planBudget(context, places, flags),
  );
}

function withPlace(builder: CommandBuilder): CommandBuilder {
  builder.command
    .option('--system <name>', 'system, as in systems/<name>.yaml')
    .option('--environment <name>', 'environment of the system');
  return builder;
}
