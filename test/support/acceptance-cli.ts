import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCli } from '../../scripts/build/cli.ts';
import { readEndpoints } from '../../scripts/sandbox/endpoints.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLI = join(ROOT, 'dist/windlass.js');

/** How a command ended: exit code and what it printed as JSON. */
export interface CliAnswer {
  code: number;
  json: Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any
}

/** Builds `dist/windlass.js` when it is absent or older than its source. */
export async function ensureCli(): Promise<void> {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true });
  const changedAt = Math.max(
    ...sources.filter((each) => each.isFile()).map((each) => statSync(join(each.parentPath, each.name)).mtimeMs),
  );
  if (existsSync(CLI) && statSync(CLI).mtimeMs >= changedAt) return;
  await buildCli(join(ROOT, 'src/cli/main.ts'), join(ROOT, 'dist'));
}

/** What a command printed, and how it ended. */
export interface CliEnd {
  code: number;
  out: string;
  err: string;
}

/** Runs the shipped CLI in a process of its own. */
export async function spawnCli(args: string[], env: Record<string, string> = {}): Promise<CliEnd> {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve(status ?? 1));
  });
  return { code, out, err };
}

/** The same with `--json`. @throws Error when it prints no JSON */
export async function runCli(args: string[], env: Record<string, string>): Promise<CliAnswer> {
  const { code, out, err } = await spawnCli([...args, '--json'], env);
  try {
    return { code, json: JSON.parse(out) as Record<string, unknown> };
  } catch {
    throw new Error(`windlass ${args.join(' ')} ended with ${code} and printed no JSON: ${out}${err}`);
  }
}

/** The shipped CLI against the sandbox, for the workers of one task queue; whoever asks is named first. */
export function cliOf(taskQueue: string): (as: string, ...args: string[]) => Promise<CliAnswer> {
  const { temporal } = readEndpoints();
  const env = {
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    WINDLASS_TASK_QUEUE: taskQueue,
  };
  return (as, ...args) => runCli([...args, '--as', as], env);
}
