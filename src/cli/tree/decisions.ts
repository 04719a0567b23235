import { Argument, type Command } from 'commander';
import type { DecideFlags } from '../commands/decide.ts';
import type { AddCommand } from '../program.ts';

const ID = 'deploy/shop/production/web-v2';

const DECISIONS = [
  {
    decision: 'approve',
    description: 'approve a gate; shows what is approved and binds the decision to it',
    examples: [
      `approve ${ID}`,
      `approve ${ID} security --as sam`,
      `approve ${ID} security --code 3f2a1b0c-9d8e7f6a`,
      `approve ${ID} security --comment "scanned" --field ticket=C-4711`,
      `approve ${ID} security --break-glass --reason "checkout is down"`,
    ],
  },
  {
    decision: 'reject',
    description: 'reject a gate; the procedure ends and takes back what it did',
    examples: [`reject ${ID} security --reason "image not scanned"`],
  },
  {
    decision: 'retract',
    description: 'take your approval back, while the gate still waits for others',
    examples: [`retract ${ID} security --reason "saw the logs"`],
  },
  {
    decision: 'withdraw',
    description: 'withdraw what you asked for; the procedure ends and takes back what it did',
    examples: [`withdraw ${ID} --reason "wrong image"`],
  },
] as const;

const collect = (value: string, before: string[] = []): string[] => [...before, value];

/** `approve`, `reject`, `retract`, `withdraw`, `hold`, `resume`, `abort`, `keep-color`, `rescue`, `retry-now`: what people tell a procedure. */
export function addDecisionCommands(program: Command, add: AddCommand): void {
  for (const { decision, description, examples } of DECISIONS) {
    const { command, run } = add(program, `${decision} <id> [gate]`, description, [...examples]);
    const why = '--reason <text>';
    if (decision === 'reject') command.requiredOption(why, 'why; shown to everyone');
    else command.option(why, decision === 'approve' ? 'why; needed with --break-glass' : 'why; shown to everyone');
    if (decision === 'approve')
      command
        .option('--comment <text>', 'a comment, which some gates need; shown to everyone')
        .option('--field <name=value>', 'a field of the form that some gates have; may be repeated', collect)
        .option('--break-glass', 'pass the gate alone in an emergency, where the catalog lets you; it is reviewed');
    command
      .option('--code <code>', 'code you were shown elsewhere; it does not count when another plan is asked by now')
      .option('--yes', 'do not ask at the terminal')
      .option('--signal', 'send a signal, which is kept until a worker runs; needs GATE and --code, brings no answer');
    run<DecideFlags>(async (context, [id, gate], flags) =>
      (await import('../commands/decide.ts')).decide(context, decision, id!, gate, flags),
    );
  }

  const orders = [
    [
      'hold',
      'hold',
      'pause before the next step; bringing traffic back is never held',
      `hold ${ID} --reason "waiting for the database team"`,
    ],
    ['resume', 'resume', 'go on after a hold', `resume ${ID}`],
    ['abort', 'abort', 'stop, and take back what was done: traffic first', `abort ${ID} --reason "wrong image"`],
    [
      'keep-color',
      'keepColor',
      'keep a color that would be retired; ID is that of the retirement',
      'keep-color retire/shop/production/web-blue-1a2b3c4d',
    ],
  ] as const;
  for (const [name, order, description, example] of orders) {
    const { command, run } = add(program, `${name} <id>`, description, [example]);
    command.option('--reason <text>', 'why; shown to everyone');
    run<{ reason?: string }>(async (context, [id], { reason }) =>
      (await import('../commands/orders.ts')).order(context, order, id!, reason),
    );
  }

  const rescue = add(program, 'rescue <id>', 'decide a step that is stuck', [
    `rescue ${ID} retry --reason "quota was raised"`,
    `rescue ${ID} done --reason "selector set back by hand"`,
  ]);
  rescue.command
    .addArgument(
      new Argument(
        '<verb>',
        'retry: once more; skip: leave it undone; done: done by hand, checked; give-up: end, target stays dirty',
      ).choices(['retry', 'skip', 'done', 'give-up']),
    )
    .requiredOption('--reason <text>', 'why; it is in the record')
    .option('--step <name>', 'which one, when several are stuck');
  rescue.run<{ reason: string; step?: string }>(async (context, [id, verb], { reason, step }) =>
    (await import('../commands/orders.ts')).rescue(context, id!, { verb: verb as 'retry', reason, step }),
  );

  const retry = add(program, 'retry-now <id>', 'try at once what waits for its next attempt', [`retry-now ${ID}`]);
  retry.run(async (context, [id]) => (await import('../commands/retry-now.ts')).retryNow(context, id!));
}
