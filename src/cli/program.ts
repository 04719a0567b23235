import { Command, Option } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { createContext, type CommonFlags, type Context } from './context.ts';
import type { ExitCode } from './errors.ts';
import type { Io } from './io.ts';
import { addAuditCommands } from './tree/audit.ts';
import { addBudgetCommands } from './tree/budgets.ts';
import { addDecisionCommands } from './tree/decisions.ts';
import { addLoginCommands } from './tree/login.ts';
import { addReadingCommands } from './tree/reading.ts';
import { addReleaseCommands } from './tree/releases.ts';
import { addDatabaseCommands } from './tree/databases.ts';
import { addFreezeCommands } from './tree/freezes.ts';
import { addIncidentCommands } from './tree/incidents.ts';
import { addRunbookCommands } from './tree/runbooks.ts';
import { addWindowCommands } from './tree/windows.ts';

/** Adds one command with the common flags; its action gets the context, the arguments and the flags. */
export type AddCommand = (parent: Command, usage: string, description: string, examples: string[]) => CommandBuilder;

export interface CommandBuilder {
  command: Command;
  /** Loads and runs the command. */
  run: <Flags>(action: (context: Context, places: (string | undefined)[], flags: Flags) => Promise<ExitCode>) => void;
}

/**
 * The tree of commands. Nothing heavy is imported here: each action imports what it needs, so that `--help` is quick.
 * @param done takes the exit code of the command that ran
 */
export function createProgram(io: Io, json: boolean, done: (code: ExitCode) => void): Command {
  const program = new Command('windlass')
    .description('Operations procedures as durable Temporal workflows: releases and rollbacks that survive any crash.')
    .version(packageJson.version)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({ writeOut: io.out, writeErr: json ? () => undefined : io.err, outputError: () => undefined })
    .configureHelp({ sortSubcommands: false, helpWidth: io.terminal?.columns ?? 100 })
    .addHelpText('after', MAIN_HELP);

  const add: AddCommand = (parent, usage, description, examples) => {
    const command = parent
      .command(usage)
      .description(description)
      .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ windlass ${example}`).join('\n')}`);
    addCommonFlags(command);
    return {
      command,
      run: (action) =>
        void command.action(async (...given: unknown[]) => {
          const places = given.slice(0, -2).flat() as (string | undefined)[];
          const flags = command.opts<CommonFlags>();
          done(await action(createContext(io, flags), places, flags as never));
        }),
    };
  };
  const plan = program
    .command('plan')
    .description('show what a procedure would change, with diffs, gates and refusals; touches nothing');
  addReleaseCommands(program, plan, add);
  addRunbookCommands(program, plan, add);
  addDatabaseCommands(program, plan, add);
  addWindowCommands(program, plan, add);
  addBudgetCommands(program, plan, add);
  addFreezeCommands(program, add);
  addIncidentCommands(program, plan, add);
  addDecisionCommands(program, add);
  addReadingCommands(program, add);
  addLoginCommands(program, add);
  addAuditCommands(program, add);
  return program;
}

function addCommonFlags(command: Command): void {
  const flags = [
    new Option('--json', 'print JSON: shapes are stable, errors too'),
    new Option('--as <person>', 'who you are (default: $WINDLASS_USER, else your user name)'),
    new Option('--address <host:port>', 'Temporal server (default: TEMPORAL_ADDRESS, profile, sandbox)'),
    new Option('--namespace <name>', 'Temporal namespace'),
    new Option('--profile <name>', 'profile of the Temporal configuration file'),
    new Option('--task-queue <name>', 'task queue of the workers (default: $WINDLASS_TASK_QUEUE, else windlass)'),
    new Option('--no-color', 'no colors (also: NO_COLOR)'),
  ];
  for (const flag of flags) command.addOption(flag.helpGroup('Common options:'));
}

const MAIN_HELP = `
Examples:
  $ windlass status                                     what runs, and what waits for you
  $ windlass plan deploy shop production web registry.example.com/web:v2
  $ windlass deploy shop production web registry.example.com/web:v2 --follow
  $ windlass approve deploy/shop/production/web-v2
  $ windlass rollback shop production web --mode emergency --reason "errors rose"
  $ windlass run shop production scale-out --service web --parameter replicas=5

Exit codes:
  0  it worked, and what was waited for ended well
  1  it failed, or was refused
  2  the command line or the input is wrong; nothing was started`;
