// `npm run coverage:prove [-- S-05.1 …]`: does a proving test prove anything? Runs the numbered tests that passed in the
// last acceptance run once more, with a worker whose effecting activities do nothing (WINDLASS_NOOP_EFFECTS=1), and
// lists those that stay green. Exits with 1 when there is one.
import { parseArgs } from 'node:util';
import { numberedResults, passedNumbers, patternOf } from './coverage/proof.ts';
import { readReport, runJest } from './testing/jest.ts';
import { filesOf, PROVING } from './testing/parts.ts';
import { withSandbox } from './testing/sandbox.ts';
import { ROOT } from './testing/tools.ts';

const { positionals } = parseArgs({ allowPositionals: true });
process.exitCode = await main(positionals);

async function main(wanted: string[]): Promise<number> {
  const passed = passedNumbers(numberedResults(...PROVING.map(({ name }) => readReport(name))));
  const numbers = wanted.length > 0 ? passed.filter((number) => wanted.includes(number)) : passed;
  if (numbers.length === 0) {
    return complain('no such test passed in the last acceptance run: run `npm test -- acceptance incidents` first');
  }

  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => interruption.abort(`interrupted by ${signal}`));
  }
  const report = await withSandbox(interruption.signal, async () => {
    const run = await runJest({
      name: 'prove',
      files: PROVING.flatMap((part) => filesOf(part, ROOT)),
      inBand: true,
      names: patternOf(numbers),
      env: { WINDLASS_NOOP_EFFECTS: '1' },
      signal: interruption.signal,
    });
    return run.report;
  });
  if (interruption.signal.aborted) return 130;
  if (!report) return complain('the run without effects ended without a report');

  const ran = numberedResults(report);
  const lost = numbers.filter((number) => !ran.has(number));
  if (lost.length > 0) return complain(`did not run without effects: ${lost.join(', ')}`);

  const empty = passedNumbers(ran).filter((number) => numbers.includes(number));
  for (const number of empty) process.stdout.write(`${number} stays green without effects: it proves nothing\n`);
  process.stdout.write(`${numbers.length - empty.length} of ${numbers.length} tests prove something\n`);
  return empty.length > 0 ? 1 : 0;
}

function complain(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}
