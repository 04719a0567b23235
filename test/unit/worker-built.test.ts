import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { isFresh, newestOf, ROOT } from '../../worker/built.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'windlass-built-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A file that was changed so many seconds after 2026 began. @returns its path from the root */
function file(name: string, seconds: number): string {
  const path = join(folder, name);
  writeFileSync(path, '');
  const at = new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));
  utimesSync(path, at, at);
  return relative(ROOT, path);
}

test('an output is run when it is not older than the newest file of its sources', () => {
  const output = join(ROOT, file('output.js', 20));
  const lock = file('lock.json', 10);
  mkdirSync(join(folder, 'source'));
  const sources = [lock, relative(ROOT, join(folder, 'source'))];
  expect(isFresh(output, newestOf(sources))).toBe(true);

  file('source/changed.ts', 21);
  expect(isFresh(output, newestOf(sources))).toBe(false);
});

test('an output that is not there is not run; where there are no sources, any is', () => {
  expect(isFresh(join(folder, 'none.js'), 0)).toBe(false);
  expect(newestOf([relative(ROOT, join(folder, 'no-such-folder'))])).toBe(0);
});
