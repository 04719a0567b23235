import { spawn } from 'node:child_process';
import { SandboxError } from './errors.ts';
import { searchPath } from './paths.ts';

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** Text written to the command's standard input. */
  input?: string;
  /** Return the output even when the command fails. */
  allowFailure?: boolean;
}

/**
 * Runs a command to its end and returns its standard output.
 * @throws SandboxError with the end of its output when it exits with anything but 0.
 */
export async function run(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  const env = { ...process.env, PATH: searchPath(), ...options.env };
  const child = spawn(command, args, { cwd: options.cwd, env, stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  // A command that exits without reading its input is judged by its exit code, not by the broken pipe.
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (error) => reject(new SandboxError(`cannot run ${command}: ${error.message}`)));
    child.on('close', resolve);
  });
  if (code !== 0 && !options.allowFailure) {
    const tail = (stderr + stdout).trim().split('\n').slice(-15).join('\n');
    throw new SandboxError(`${command} ${args.join(' ')} failed (exit code ${code}):\n${tail}`);
  }
  return stdout;
}
