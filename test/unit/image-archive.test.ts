import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LayerEntry } from '../../scripts/sandbox/docker-archive.ts';
import { foldersOf, keptArchive, sharedLibraries } from '../../scripts/sandbox/image-archive.ts';

let cacheDir: string;
beforeEach(() => (cacheDir = mkdtempSync(join(tmpdir(), 'images-'))));
afterEach(() => rmSync(cacheDir, { recursive: true }));

test('every folder above a file comes before what is in it, once; named ones have their mode', () => {
  const files: LayerEntry[] = ['usr/lib/a', 'usr/lib/b', 'bin/sh'].map((path) => ({ path, kind: 'file', source: '' }));
  expect(foldersOf(files, { tmp: 0o1777, 'var/run': 0o777 }).map(({ path, mode }) => [path, mode])).toEqual([
    ['bin', 0o755],
    ['tmp', 0o1777],
    ['usr', 0o755],
    ['usr/lib', 0o755],
    ['var', 0o755],
    ['var/run', 0o777],
  ]);
});

(process.platform === 'linux' ? test : test.skip)('a program needs its loader as much as its libraries', async () => {
  const libraries = await sharedLibraries([process.execPath]);
  expect(libraries.some((path) => /\/libc\.|\/libc-|\/ld-musl/.test(path))).toBe(true);
  expect(libraries.some((path) => /\/ld-/.test(path))).toBe(true);
  expect(libraries.every((path) => existsSync(path))).toBe(true);
});

describe('a kept archive', () => {
  const content = (): string => join(cacheDir, 'content');
  let written = 0;
  const keep = (fails = false): Promise<string> =>
    keptArchive({
      ...{ cacheDir: join(cacheDir, 'kept'), family: 'some-image', form: 1 },
      entries: [{ path: 'app', kind: 'file', source: content() }],
      async write(tarPath) {
        written += 1;
        writeFileSync(tarPath, 'archive');
        if (fails) throw new Error('the disk is full');
      },
    });
  beforeEach(() => {
    written = 0;
    writeFileSync(content(), 'one');
  });

  test('is written once, and anew when a file in it has changed; the old one goes, other families stay', async () => {
    const first = await keep();
    writeFileSync(join(cacheDir, 'kept', 'other-1.tar'), '');
    expect([await keep(), written]).toEqual([first, 1]);
    writeFileSync(content(), 'two');
    const second = await keep();
    expect(second).not.toBe(first);
    expect([existsSync(first), existsSync(second), written]).toEqual([false, true, 2]);
    expect(readdirSync(join(cacheDir, 'kept')).sort()).toEqual(['other-1.tar', second.split('/').at(-1)]);
  });

  test('that could not be written is not there, nor what was begun', async () => {
    await expect(keep(true)).rejects.toThrow('the disk is full');
    expect(readdirSync(join(cacheDir, 'kept'))).toEqual([]);
  });
});
