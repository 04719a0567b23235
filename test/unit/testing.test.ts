import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { run } from '../../scripts/testing/child.ts';
import { CHECK, choose, filesOf, PARTS, SANDBOX_DOWN, SANDBOX_UP } from '../../scripts/testing/parts.ts';
import { count, duration, lastLine, table, total, type JestReport } from '../../scripts/testing/report.ts';
import { ROOT } from '../../scripts/testing/tools.ts';

describe('parts', () => {
  test('all budgets together stay within 75 minutes', () => {
    const oneByOne = PARTS.filter(({ beside }) => !beside);
    const budgets = [CHECK, SANDBOX_UP, SANDBOX_DOWN, ...oneByOne].map((part) => part.budgetSeconds);
    expect(budgets.reduce((sum, seconds) => sum + seconds, 0)).toBeLessThanOrEqual(75 * 60);
  });

  test('every test file of the repository belongs to exactly one part', () => {
    const all = readdirSync(join(ROOT, 'test'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
    expect(PARTS.flatMap((part) => filesOf(part, ROOT)).sort()).toEqual(all.sort());
  });

  test('a part without a folder has no files', () => {
    expect(filesOf({ name: 'none', folder: 'test/none', budgetSeconds: 1 }, ROOT)).toEqual([]);
  });

  test('without names every part is chosen, with names only those, in the order of the table', () => {
    expect(choose([], ['check', 'unit', 'crash'])).toEqual(['check', 'unit', 'crash']);
    expect(choose(['crash', 'unit'], ['check', 'unit', 'crash'])).toEqual(['unit', 'crash']);
  });

  test('an unknown part is refused with the names there are', () => {
    expect(() => choose(['unti'], ['check', 'unit'])).toThrow(/no such part.*unti.*check, unit/);
  });
});

describe('counting', () => {
  const report = (counts: Partial<JestReport>): JestReport => ({
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    numRuntimeErrorTestSuites: 0,
    testResults: [],
    ...counts,
  });

  test('a good run has the counts of its report', () => {
    expect(count(report({ numPassedTests: 3, numPendingTests: 1 }), { code: 0 })).toEqual({
      passed: 3,
      failed: 0,
      skipped: 1,
    });
  });

  test.each([
    ['a file that cannot be loaded', report({ numPassedTests: 3, numRuntimeErrorTestSuites: 1 }), { code: 1 }],
    ['a run without a test', report({}), { code: 0 }],
    ['a crash before the report', undefined, { code: 134 }],
    ['a bad exit after green tests', report({ numPassedTests: 3 }), { code: 1 }],
    ['a run that was ended', report({ numPassedTests: 3 }), { stopped: 'ended after 90 s' }],
  ])('%s counts as a failure', (_, jest, ending) => {
    expect(count(jest, ending).failed).toBe(1);
  });

  test('the last line is plain, and names the skipped only when there are any', () => {
    expect(lastLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
    expect(lastLine({ passed: 12, failed: 1, skipped: 2 })).toBe('12 passed, 1 failed, 2 skipped');
  });

  test('a part over its budget is a warning under the table, not a failure', () => {
    const slow = { name: 'unit', passed: 1, failed: 0, skipped: 0, seconds: 61, budgetSeconds: 45 };
    expect(table([slow])).toMatch(/^warning: unit took 1 min 01 s, its budget is 45 s$/m);
    expect(total([slow]).failed).toBe(0);
  });

  test('a note says why a part failed', () => {
    const crashed = {
      name: 'crash',
      passed: 0,
      failed: 1,
      skipped: 0,
      seconds: 1,
      budgetSeconds: 9,
      note: 'no test ran',
    };
    expect(table([crashed])).toMatch(/^failed: crash: no test ran$/m);
  });

  test.each([
    [0.44, '0.4 s'],
    [9.97, '10 s'],
    [59.4, '59 s'],
    [59.6, '1 min 00 s'],
    [125, '2 min 05 s'],
  ])('%d seconds are written %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

describe('child processes', () => {
  const node = (code: string, options: Partial<Parameters<typeof run>[2]> = {}) =>
    run(process.execPath, ['-e', code], { cwd: ROOT, output: 'capture', ...options });

  test('the exit code and the output come back', async () => {
    const ended = await node('console.log("hello"); process.exitCode = 3');
    expect(ended).toMatchObject({ ending: { code: 3 }, output: 'hello\n', leftovers: false });
  });

  test('a command that does not exist is an ending, not an exception', async () => {
    const { ending } = await run('no-such-command', [], { cwd: ROOT, output: 'capture' });
    expect(ending).toEqual({ stopped: expect.stringContaining('no-such-command did not start') });
  });

  test('what hangs is ended at its limit', async () => {
    const { ending } = await node('setInterval(() => {}, 1000)', { limitSeconds: 0.3 });
    expect(ending).toEqual({ stopped: 'ended after 0.3 s, its hard limit' });
  });

  test('an interruption ends the child and everything it started', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'windlass-test-'));
    const ready = join(folder, 'ready');
    try {
      const interruption = new AbortController();
      const grandchild = `require('node:fs').writeFileSync(${JSON.stringify(ready)}, String(process.pid)); setInterval(() => {}, 1000)`;
      const running = node(
        `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}]); setInterval(() => {}, 1000)`,
        { signal: interruption.signal },
      );
      const pid = await pidIn(ready);
      interruption.abort('interrupted by SIGINT');
      expect((await running).ending).toEqual({ stopped: 'interrupted by SIGINT' });
      expect(isAlive(pid)).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('a process that outlives its parent is reported and ended', async () => {
    const { output, leftovers } = await node(
      `const orphan = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
       orphan.unref(); console.log(orphan.pid)`,
    );
    expect(leftovers).toBe(true);
    expect(isAlive(Number(output))).toBe(false);
  });
});

async function pidIn(file: string): Promise<number> {
  const { readFile } = await import('node:fs/promises');
  for (;;) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (text !== '') return Number(text);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
