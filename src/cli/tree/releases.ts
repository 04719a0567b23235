import { InvalidArgumentError, Option, type Command } from 'commander';
import type { WaitFlags } from '../commands/release.ts';
import type { DeployFlags, RollbackFlags } from '../commands/release-requests.ts';
import type { AddCommand, CommandBuilder } from '../program.ts';

/** `plan deploy|rollback`, `deploy`, `rollback`: what starts a procedure. */
export function addReleaseCommands(program: Command, plan: Command, add: AddCommand): void {
  const planDeploy = withDeployFlags(
    add(plan, 'deploy [system] [environment] [service] [image]', 'plan a release; exit 1 when it is refused', [
      'plan deploy shop production web registry.example.com/web:v2',
      'plan deploy shop production web registry.example.com/web:v2 --json',
    ]),
  );
  planDeploy.command.addOption(timeout());
  planDeploy.run<DeployFlags & { timeout: number }>(async (context, places, flags) =>
    (await import('../commands/plan.ts')).planDeploy(context, places, flags),
  );
  const planRollback = withRollbackFlags(
    add(plan, 'rollback [system] [environment] [service]', 'plan the way back; exit 1 when there is none', [
      'plan rollback shop production web --mode emergency --reason "errors rose"',
    ]),
  );
  planRollback.command.addOption(timeout());
  planRollback.run<RollbackFlags & { timeout: number }>(async (context, places, flags) =>
    (await import('../commands/plan.ts')).planRollback(context, places, flags),
  );

  const deploy = withWaitFlags(
    withDeployFlags(
      add(program, 'deploy [system] [environment] [service] [image]', 'start a blue-green release; returns at once', [
        'deploy shop production web registry.example.com/web:v2',
        'deploy --system shop --environment production --service web --image registry.example.com/web:v2',
        'deploy shop production web registry.example.com/web:v2 --queue --follow',
      ]),
    ),
  );
  deploy.run<DeployFlags & WaitFlags>(async (context, places, flags) =>
    (await import('../commands/release.ts')).deploy(context, places, flags),
  );
  const rollback = withWaitFlags(
    withRollbackFlags(
      add(program, 'rollback [system] [environment] [service]', 'bring traffic back to a release that served well', [
        'rollback shop production web --mode emergency --reason "errors rose after v3"',
        'rollback shop production web --mode planned --to v2 --reason "wrong feature flag" --wait',
      ]),
    ),
  );
  rollback.run<RollbackFlags & WaitFlags>(async (context, places, flags) =>
    (await import('../commands/release.ts')).rollback(context, places, flags),
  );
}

function withDeployFlags(builder: CommandBuilder): CommandBuilder {
  withPlaces(builder)
    .command.option('--image <reference>', 'image with a tag or a digest')
    .option('--release <version>', 'version that the health check must report (default: the tag)')
    .option('--reason <text>', 'why; shown to everyone')
    .option('--queue', 'wait behind another procedure on the service, instead of being refused')
    .option('--critical', 'go out in the yellow zone of the error budget too; needs --reason');
  return builder;
}

function withRollbackFlags(builder: CommandBuilder): CommandBuilder {
  withPlaces(builder)
    .command.addOption(
      new Option('--mode <mode>', 'emergency: at once; planned: after confirmations')
        .choices(['emergency', 'planned'])
        .makeOptionMandatory(),
    )
    .option('--to <version>', 'version to go back to (default: the last known good release)')
    .requiredOption('--reason <text>', 'why; shown to everyone');
  return builder;
}

function withPlaces(builder: CommandBuilder): CommandBuilder {
  builder.command
    .option('--system <name>', 'system, as in systems/<name>.yaml')
    .option('--environment <name>', 'environment of the system')
    .option('--service <name>', 'service of the system');
  return builder;
}

export function withWaitFlags(builder: CommandBuilder): CommandBuilder {
  builder.command
    .option('--wait', 'return when it has ended, with its outcome as exit code')
    .option('--no-wait', 'return at once (the default)')
    .option('--follow', 'watch it until it ends');
  builder.command.setOptionValue('wait', false);
  return builder;
}

export const timeout = (): Option =>
  new Option('--timeout <seconds>', 'how long the plan may take').default(120).argParser((text) => {
    const seconds = Number(text);
    if (!(seconds > 0)) throw new InvalidArgumentError('expected a number of seconds above 0.');
    return seconds;
  });
