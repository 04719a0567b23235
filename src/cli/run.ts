import { CommanderError } from 'commander';
import { CliError, EXIT, explain } from './errors.ts';
import { printError, type Io } from './io.ts';
import { createProgram } from './program.ts';

/**
 * Runs one command line (without `node` and the script).
 * @returns the exit code: 0 ok, 1 failed or refused, 2 usage
 */
export async function run(args: string[], io: Io): Promise<number> {
  const json = args.includes('--json');
  let code: number = EXIT.ok;
  const program = createProgram(io, json, (result) => (code = result));
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.ok; // --help, --version
      const message = error.message.replace(/^error: /, '');
      if (error.code === 'commander.help') return EXIT.usage; // a group without a command: its help was printed
      printError(io, json, new CliError('usage', message, 'See windlass --help, or windlass <command> --help.'));
      return EXIT.usage;
    }
    const explained = explain(error);
    printError(io, json, explained);
    return explained.exitCode;
  }
}
