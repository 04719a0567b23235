import type { Command } from 'commander';
import type { IncidentFlags } from '../commands/incidents.ts';
import type { WaitFlags } from '../commands/release.ts';
import type { AddCommand, CommandBuilder } from '../program.ts';
import { timeout, withWaitFlags } from './releases.ts';

const ID = 'incident/shop/production/web';
const load = () => import('../commands/incidents.ts');

/** `incident open | ack | severity | resolve`, `ack`, `plan incident`. */
export function addIncidentCommands(program: Command, plan: Command, add: AddCommand): void {
  const planned = withIncidentFlags(
    add(
      plan,
      'incident [system] [environment]',
      'show severity, who is told when, and which runbooks; touches nothing',
      ['plan incident shop production --service web --alert HighErrorRate'],
    ),
  );
  planned.command.addOption(timeout());
  planned.run<IncidentFlags & { timeout: number }>(async (context, places, flags) =>
    (await load()).planIncident(context, places, flags),
  );

  const incident = program.command('incident').description('incidents: what alerts, or people, open');
  const open = withWaitFlags(
    withIncidentFlags(
      add(incident, 'open [system] [environment]', 'open an incident by hand; returns at once', [
        'incident open shop production --service web --title "Checkout is slow"',
        'incident open shop production --service web --title "Errors" --alert HighErrorRate --follow',
      ]),
    ),
  );
  open.run<IncidentFlags & WaitFlags>(async (context, places, flags) =>
    (await load()).openIncident(context, places, flags),
  );

  for (const [parent, name] of [
    [incident, 'incident ack'],
    [program, 'ack'],
  ] as const) {
    const ack = add(parent, 'ack <id>', 'take care of an incident; nobody else is called any more', [
      `${name} ${ID} --as kim`,
    ]);
    ack.command.option('--reason <text>', 'a comment; shown to everyone');
    ack.run<{ reason?: string }>(async (context, [id], { reason }) =>
      (await load()).tell(context, 'acknowledge', id!, { reason }),
    );
  }

  const severity = add(incident, 'severity <id> <severity>', 'overrule the computed severity', [
    `incident severity ${ID} P1 --reason "customers call"`,
  ]);
  severity.command.requiredOption('--reason <text>', 'why; it is in the record');
  severity.run<{ reason: string }>(async (context, [id, to], { reason }) =>
    (await load()).tell(context, 'setSeverity', id!, { reason, severity: to }),
  );

  const resolve = add(incident, 'resolve <id>', 'say that an incident is over, whatever alerts say', [
    `incident resolve ${ID} --reason "was a drill"`,
  ]);
  resolve.command.requiredOption('--reason <text>', 'why; it is in the record');
  resolve.run<{ reason: string }>(async (context, [id], { reason }) =>
    (await load()).tell(context, 'resolve', id!, { reason }),
  );
}

function withIncidentFlags(builder: CommandBuilder): CommandBuilder {
  builder.command
    .option('--system <name>', 'system, as in systems/<name>.yaml')
    .option('--environment <name>', 'environment of the system')
    .option('--service <name>', 'service that suffers (default: the system as a whole)')
    .option('--title <text>', 'what is wrong, in a line')
    .option('--alert <name>', 'alert whose runbooks are used');
  return builder;
}
