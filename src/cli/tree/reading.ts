import { InvalidArgumentError, type Command } from 'commander';
import type { ListFlags } from '../commands/status.ts';
import type { AddCommand } from '../program.ts';

const ID = 'deploy/shop/production/web-v2';

/** `status`, `list`, `show`, `why`: what only reads. None of them needs a worker. */
export function addReadingCommands(program: Command, add: AddCommand): void {
  const status = add(
    program,
    'status [id]',
    'what runs and what waits for you; with ID, one procedure and the command that brings traffic back by hand',
    ['status', `status ${ID}`, `status ${ID} --follow`, 'status --as sam --json'],
  );
  status.command.option('--follow', 'watch it until it ends; the exit code is its outcome');
  status.run<{ follow?: boolean }>(async (context, [id], flags) =>
    (await import('../commands/status.ts')).status(context, id, flags),
  );

  const list = add(program, 'list', 'procedures, newest first', [
    'list',
    'list --all --system shop',
    'list --procedure retireColor',
  ]);
  list.command
    .option('--all', 'also those that have ended')
    .option('--system <name>', 'of this system only')
    .option('--environment <name>', 'of this environment only')
    .option('--procedure <type>', 'of this type only: deployRelease, rollBackRelease, retireColor, …')
    .option('--limit <n>', 'at most so many', positive, 50);
  list.run<ListFlags>(async (context, _places, { all, system, environment, procedure, limit }) =>
    (await import('../commands/status.ts')).list(context, { all, system, environment, procedure, limit }),
  );

  const show = add(program, 'show <id>', 'input, plan, decisions, timeline and end, from the history', [
    `show ${ID}`,
    `show ${ID} --json`,
  ]);
  show.run(async (context, [id]) => (await import('../commands/show.ts')).show(context, id!));

  const why = add(
    program,
    'why <id>',
    'why it is not further: last failure, next attempt, who is awaited, what to type',
    [`why ${ID}`],
  );
  why.run(async (context, [id]) => (await import('../commands/why.ts')).why(context, id!));
}

/** A number of things. */
export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number above 0.');
  return value;
}
