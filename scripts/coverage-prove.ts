// `npm run coverage:prove [-- S-05.1 S-06 …]`: does a proving test prove anything? Runs the numbered tests that passed in
// the last acceptance run once more, with a worker whose effecting activities do nothing (WINDLASS_NOOP_EFFECTS=1), and
// lists those that stay green. Exits with 1 when there is one.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { choose, numberedResults, passedNumbers, patternOf } from './coverage/proof.ts';
import { readReport, runJest } from './testing/jest.ts';
import { filesOf, PROVING } from './testing/parts.ts';
import { withSandbox } from './testing/sandbox.ts';
import { ROOT } from './testing/tools.ts';

const HELP = `npm run coverage:prove [-- NUMBER | PROCEDURE …]

Runs the numbered acceptance tests that passed in the last run (reports/) once more with effects that do nothing: what
stays green proves nothing. S-05.1 is a test, S-05 all tests of a procedure; without any, every test.
`;

const { positionals, values } = parseArgs({ allowPositionals: true, options: { help: { type: 'boolean' } } });
if (values.help) process.stdout.write(HELP);
else process.exitCode = await main(positionals);

async function main(wanted: string[]): Promise<number> {
  const passed = passedNumbers(numberedResults(...PROVING.map(({ name }) => readReport(name))));
  const { numbers, without } = choose(wanted, passed);
  if (numbers.length === 0 || without.length > 0) {
    const what = without.length > 0 ? `none of ${without.join(', ')}` : 'no test';
    return complain(
      `${what} passed in the last acceptance run: run \`npm test -- acceptance operations incidents\` first`,
    );
  }

  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => interruption.abort(`interrupted by ${signal}`));
  }
  const report = await withSandbox(interruption.signal, async () => {
    const run = await runJest({
      name: 'prove',
      files: PROVING.flatMap((part) => filesOf(part, ROOT)).filter((file) => hasAny(file, numbers)),
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

/** Files without any of the tests would only be loaded, for minutes. */
function hasAny(file: string, numbers: string[]): boolean {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return numbers.some((number) => text.includes(`${number} `));
}

function complain(message: string): number {
  process.stderr.write(`${message}\n`);
  return 1;
}
