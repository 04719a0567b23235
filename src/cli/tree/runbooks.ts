import { InvalidArgumentError, Option, type Command } from 'commander';
import type { WaitFlags } from '../commands/release.ts';
import type { RunFlags } from '../commands/run.ts';
import type { AddCommand, CommandBuilder } from '../program.ts';
import { timeout, withWaitFlags } from './releases.ts';

/** `run`, `plan run`, `actions`: runbooks, and what their steps may be. */
export function addRunbookCommands(program: Command, plan: Command, add: AddCommand): void {
  const planRun = withRunFlags(
    add(plan, 'run [system] [environment] [runbook]', 'plan a runbook; exit 1 when it is refused', [
      'plan run shop production scale-out --service web --parameter replicas=5',
    ]),
  );
  planRun.command.addOption(timeout());
  planRun.run<RunFlags & { timeout: number }>(async (context, places, flags) =>
    (await import('../commands/run.ts')).planRun(context, places, flags),
  );

  const run = withWaitFlags(
    withRunFlags(
      add(program, 'run [system] [environment] [runbook]', 'carry out a runbook of the catalog; returns at once', [
        'run shop production scale-out --service web --parameter replicas=5',
        'run shop production health-check --on-failure fail --wait',
        'run shop production restart-slowly --service web --reason "leaks memory" --queue --follow',
      ]),
    ),
  );
  run.run<RunFlags & WaitFlags>(async (context, places, flags) =>
    (await import('../commands/run.ts')).run(context, places, flags),
  );

  const actions = program.command('actions').description('what the steps of runbooks can do');
  const list = add(actions, 'list', 'every action, by group', ['actions list', 'actions list --json']);
  list.run(async (context) => (await import('../commands/actions.ts')).listActions(context));
  const show = add(actions, 'show <name>', 'one action: parameters, output, what it changes, an example', [
    'actions show scaleWorkload',
  ]);
  show.run(async (context, [name]) => (await import('../commands/actions.ts')).showAction(context, name!));
}

function withRunFlags(builder: CommandBuilder): CommandBuilder {
  builder.command
    .option('--system <name>', 'system, as in systems/<name>.yaml')
    .option('--environment <name>', 'environment of the system')
    .option('--runbook <name>', 'runbook of the system')
    .option('--service <name>', 'service it is for')
    .option('--parameter <name=value...>', 'parameters, as the runbook declares them', parameter, {})
    .option('--reason <text>', 'why; shown to everyone')
    .addOption(
      new Option(
        '--on-failure <how>',
        'a step that fails asks a person; or all is taken back and the run fails (default: ask)',
      ).choices(['ask', 'fail']),
    )
    .option('--queue', 'wait behind another procedure on what it changes, instead of being refused');
  return builder;
}

function parameter(text: string, before: Record<string, string>): Record<string, string> {
  const [, name, value] = /^([A-Za-z][A-Za-z0-9]*)=([^]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('expected name=value.');
  return { ...before, [name]: value };
}
