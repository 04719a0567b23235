import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundle } from '../../scripts/build/bundle.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'windlass-bundle-'));
  mkdirSync(join(folder, 'node_modules/old'), { recursive: true });
  writeFileSync(join(folder, 'node_modules/old/index.js'), `module.exports.parse = () => 'parsed';`);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Bundles a program of that text. @returns the path of what was made */
async function built(text: string): Promise<string> {
  writeFileSync(join(folder, 'program.ts'), text);
  await bundle(join(folder, 'program.ts'), join(folder, 'dist'), 'program', {});
  return join(folder, 'dist/program.js');
}

test('a CommonJS package that is imported at once keeps its names', async () => {
  const program = await built(`import { parse } from 'old'; export const said: string = parse();`);
  expect(await import(pathToFileURL(program).href)).toMatchObject({ said: 'parsed' });
});

test('one that is imported lazily would lose them: it is refused by its name, and nothing is written', async () => {
  await expect(built(`export const { parse } = await import('old');`)).rejects.toThrow(/program\.ts imports old/);
  expect(existsSync(join(folder, 'dist'))).toBe(false);
});
