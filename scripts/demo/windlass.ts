import { spawn } from 'node:child_process';
import { join } from 'node:path';

const CLI = join(import.meta.dirname, '../../dist/windlass.js');

/** How a CLI command ended: its exit code and what it printed as JSON. */
export interface Answer {
  code: number;
  json: Record<string, unknown>;
}

/**
 * Runs the CLI as a user would, with `--json`. The demo has no other way to the procedures.
 * @throws Error with what the command printed when its output is no JSON
 */
export async function windlass(args: string[], user: string): Promise<Answer> {
  const child = spawn(process.execPath, [CLI, ...args, '--json'], {
    env: { ...process.env, WINDLASS_USER: user },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve(status ?? 1));
  });
  try {
    return { code, json: JSON.parse(output) as Record<string, unknown> };
  } catch {
    throw new Error(`windlass ${args.join(' ')} ended with ${code} and no JSON: ${output}${errors}`);
  }
}
