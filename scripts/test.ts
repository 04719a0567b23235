// `npm test [-- PART…]`: every test of the repository, in named parts; `-- --list` names them.
// package.json calls it with `exec`: a signal sent to npm must reach us, who clean up, and not a shell between.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CHECK, choose, filesOf, PARTS } from './testing/parts.ts';
import { lastLine, table, total, type Outcome } from './testing/report.ts';
import { runParts } from './testing/runner.ts';
import { REPORTS, ROOT } from './testing/tools.ts';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { list: { type: 'boolean' } } });
const present = PARTS.filter((part) => filesOf(part, ROOT).length > 0);
const names = [CHECK.name, ...present.map((part) => part.name)];

if (values.list) process.stdout.write(`${names.join('\n')}\n`);
else process.exitCode = await main(positionals);

async function main(wanted: string[]): Promise<number> {
  let chosen: string[];
  try {
    chosen = choose(wanted, names);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 2;
  }

  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => interruption.abort(`interrupted by ${signal}`));
  }
  const parts = present.filter((part) => chosen.includes(part.name));
  const outcomes = await runParts(chosen.includes(CHECK.name), parts, interruption.signal);

  const sums = total(outcomes);
  report(outcomes);
  process.stdout.write(`\n${table(outcomes)}\n`);
  if (interruption.signal.aborted) process.stdout.write(`${String(interruption.signal.reason)}: not everything ran\n`);
  process.stdout.write(`${lastLine(sums)}\n`);
  if (interruption.signal.aborted) return 130;
  return sums.failed > 0 ? 1 : 0;
}

/** Writes reports/test.json for tools; the lines on the screen are for people. */
function report(outcomes: Outcome[]): void {
  mkdirSync(REPORTS, { recursive: true });
  writeFileSync(join(REPORTS, 'test.json'), `${JSON.stringify({ ...total(outcomes), parts: outcomes }, null, 2)}\n`);
}
