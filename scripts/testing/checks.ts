import { join } from 'node:path';
import { run } from './child.ts';
import { duration } from './report.ts';
import { environment, ROOT, tool } from './tools.ts';

/** What needs no test run. Prettier and the compiler remember unchanged files between runs; ESLint cannot: its rules look across files. */
const CHECKS = [
  { name: 'format', args: tool('prettier', '--check', '--cache', '--log-level', 'warn', '.') },
  { name: 'lint', args: tool('eslint', '--max-warnings', '0', '.') },
  { name: 'types', args: tool('tsc', '--incremental', '--tsBuildInfoFile', 'node_modules/.cache/tsc.tsbuildinfo') },
  { name: 'duplicates', args: tool('jscpd', '.') },
  { name: 'packages', args: [join(ROOT, 'scripts/sbom.ts')] },
];

/** Runs them at the same time, printing a line for each, the complaints of those that fail, and notes of the others. */
export async function runChecks(signal?: AbortSignal): Promise<{ passed: number; failed: number }> {
  const results = await Promise.all(
    CHECKS.map(async ({ name, args }) => {
      const { ending, output, seconds } = await run(process.execPath, args, {
        cwd: ROOT,
        env: environment({ [process.stdout.isTTY ? 'FORCE_COLOR' : 'NO_COLOR']: '1' }),
        output: 'capture',
        ...(signal ? { signal } : {}),
      });
      const ok = 'code' in ending && ending.code === 0;
      const complaint = 'stopped' in ending ? `${ending.stopped}\n` : output;
      process.stdout.write(
        `${ok ? 'ok    ' : 'FAILED'} ${name} (${duration(seconds)})\n${ok ? notesOf(output) : complaint}`,
      );
      return ok;
    }),
  );
  const passed = results.filter(Boolean).length;
  return { passed, failed: results.length - passed };
}

/** What a check that passed could not find out. */
const notesOf = (output: string): string =>
  output
    .split('\n')
    .filter((line) => line.startsWith('note: '))
    .map((line) => `  ${line}\n`)
    .join('');
