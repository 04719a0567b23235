import type { Command } from 'commander';
import type { AddCommand } from '../program.ts';

/** `login`, `logout`, `whoami`: who decides, where a name is not enough. */
export function addLoginCommands(program: Command, add: AddCommand): void {
  const commands = [
    ['login', 'log in at the OpenID provider, for gates that want a verified identity'],
    ['logout', 'forget the login of this machine'],
    ['whoami', 'show who you are logged in as'],
  ] as const;
  for (const [name, description] of commands)
    add(program, name, description, [name]).run(async (context) =>
      (await import('../commands/login.ts'))[name](context),
    );
}
